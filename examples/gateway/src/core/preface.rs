//! The PROXY protocol, both versions: what a proxy says of a connection before its first byte.
//!
//! <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What the beginning of a connection says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preface {
    /// Nothing: it begins with what the client sends.
    None,
    /// More bytes are needed to tell.
    Partial,
    /// Whose connection it is, which takes so many bytes. Without an address it is the proxy's own.
    Proxied {
        /// The address of the client.
        client: Option<IpAddr>,
        /// How many bytes say so.
        used: usize,
    },
}

/// Why a preface cannot be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the PROXY header {0}; look at what the proxy is told to send")]
pub struct BadPreface(&'static str);

/// What the second version begins with.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// What the first version begins with. No method of HTTP does.
const WORD: &[u8] = b"PROXY ";

/// Longest line of the first version, with its end.
const LINE_MAX: usize = 107;

/// Length of the fixed part of the second version.
const FIXED: usize = 16;

impl Preface {
    /// Most bytes that are read for one.
    pub const MAX: usize = 4096;

    /// Reads the first bytes of a connection.
    ///
    /// # Errors
    ///
    /// They begin as a preface does, and are none.
    pub fn read(bytes: &[u8]) -> Result<Self, BadPreface> {
        let begins = |mark: &[u8]| bytes.starts_with(mark) || mark.starts_with(bytes);
        match (begins(SIGNATURE), begins(WORD)) {
            (true, _) if bytes.len() >= FIXED => second(bytes),
            (_, true) if bytes.len() >= WORD.len() => first(bytes),
            (false, false) => Ok(Self::None),
            _ => Ok(Self::Partial),
        }
    }
}

fn first(bytes: &[u8]) -> Result<Preface, BadPreface> {
    let Some(end) = bytes.windows(2).take(LINE_MAX - 1).position(|pair| pair == b"\r\n") else {
        return if bytes.len() < LINE_MAX { Ok(Preface::Partial) } else { Err(BadPreface("has no end")) };
    };
    let line = bytes.get(..end).and_then(|line| core::str::from_utf8(line).ok()).ok_or(BadPreface("is no text"))?;
    let used = end + 2;
    let mut words = line.split(' ').skip(1);
    let (family, rest): (_, Vec<&str>) = (words.next(), words.collect());
    let client = match (family, rest.as_slice()) {
        (Some("UNKNOWN"), _) => None,
        (Some("TCP4"), [from, ..]) if rest.len() == 4 => from.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        (Some("TCP6"), [from, ..]) if rest.len() == 4 => from.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => return Err(BadPreface("has other words than `TCP4`, `TCP6` or `UNKNOWN` and four more")),
    };
    if client.is_none() && family != Some("UNKNOWN") {
        return Err(BadPreface("names no address of its family"));
    }
    Ok(Preface::Proxied { client: client.map(|client| client.to_canonical()), used })
}

fn second(bytes: &[u8]) -> Result<Preface, BadPreface> {
    let Some((fixed, rest)) = bytes.split_at_checked(FIXED) else { return Ok(Preface::Partial) };
    let [.., command, family, high, low] = fixed else { return Ok(Preface::Partial) };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length > Preface::MAX - FIXED {
        return Err(BadPreface("is longer than 4 KiB"));
    }
    let Some(addresses) = rest.get(..length) else { return Ok(Preface::Partial) };
    let used = FIXED + length;
    let client = match (command, family >> 4) {
        (0x20, _) => None,
        (0x21, 1) => Some(IpAddr::V4(address::<4>(addresses, 12)?.into())),
        (0x21, 2) => Some(IpAddr::V6(address::<16>(addresses, 36)?.into())),
        // A socket of the machine itself, or a family nobody names.
        (0x21, _) => None,
        _ => return Err(BadPreface("is of a version or has a command that is not known")),
    };
    Ok(Preface::Proxied { client: client.map(|client| client.to_canonical()), used })
}

/// The first of two addresses, which with their ports take at least `whole` bytes.
fn address<const N: usize>(addresses: &[u8], whole: usize) -> Result<[u8; N], BadPreface> {
    let first = addresses.first_chunk::<N>().filter(|_| addresses.len() >= whole);
    first.copied().ok_or(BadPreface("is shorter than its addresses"))
}

#[cfg(test)]
mod tests {
    use core::net::IpAddr;

    use super::{Preface, SIGNATURE};

    fn proxied(client: &str, used: usize) -> Preface {
        Preface::Proxied { client: client.parse::<IpAddr>().ok(), used }
    }

    fn second(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let length = u16::try_from(addresses.len()).unwrap().to_be_bytes();
        [SIGNATURE, &[command, family], &length, addresses, b"GET / HTTP/1.1\r\n"].concat()
    }

    /// The examples of the specification, and what it says of each part.
    #[test]
    fn both_versions_say_whose_connection_it_is() {
        let v4 = [[203, 0, 113, 9], [10, 0, 0, 1]].concat();
        let v6 = [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[7], &[0; 16]].concat();
        for (bytes, expected) in [
            (b"PROXY TCP4 203.0.113.9 10.0.0.1 56324 443\r\nGET".to_vec(), proxied("203.0.113.9", 43)),
            (b"PROXY TCP6 2001:db8::7 ::1 1 2\r\n".to_vec(), proxied("2001:db8::7", 32)),
            (b"PROXY UNKNOWN ffff::1 whatever\r\n\x16".to_vec(), proxied("", 32)),
            (second(0x21, 0x11, &[&v4[..], &[0, 1, 0, 2]].concat()), proxied("203.0.113.9", 28)),
            (second(0x21, 0x21, &[&v6[..], &[0, 1, 0, 2], b"\x04\0\x02ab"].concat()), proxied("2001:db8::7", 57)),
            (second(0x20, 0x00, b""), proxied("", 16)),
            (second(0x21, 0x31, &[0; 216]), proxied("", 232)),
            (b"POST /iclock/cdata HTTP/1.0\r\n".to_vec(), Preface::None),
            (b"PUT".to_vec(), Preface::None),
            (b"\x16\x03\x01".to_vec(), Preface::None),
        ] {
            assert_eq!(Preface::read(&bytes), Ok(expected), "{bytes:?}");
        }
    }

    #[test]
    fn what_begins_as_one_and_is_none_is_refused() {
        let long = [b"PROXY TCP4 ".as_slice(), &[b'1'; 100]].concat();
        for bytes in [
            b"PROXY TCP4 203.0.113.9 10.0.0.1 1\r\n".to_vec(),
            b"PROXY TCP4 2001:db8::7 ::1 1 2\r\n".to_vec(),
            b"PROXY / HTTP/1.1\r\n".to_vec(),
            b"PROXY TCP4 \xff 10.0.0.1 1 2\r\n".to_vec(),
            long,
            second(0x31, 0x11, &[0; 12]),
            second(0x22, 0x11, &[0; 12]),
            second(0x21, 0x11, &[0; 11]),
            [SIGNATURE, &[0x21, 0x11, 0xff, 0xff]].concat(),
        ] {
            assert!(Preface::read(&bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_preface_that_is_cut_anywhere_needs_more() {
        let whole = second(0x21, 0x11, &[0; 12]);
        for (preface, length) in [(&b"PROXY TCP4 203.0.113.9 10.0.0.1 56324 443\r\n"[..], 43), (&whole[..], 28)] {
            for cut in 0..length {
                assert_eq!(Preface::read(&preface[..cut]), Ok(Preface::Partial), "{cut}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic_and_none_are_used_that_are_not_there(bytes: Vec<u8>, which in 0..3_usize) {
            let begins: [&[u8]; 3] = [b"", b"PROXY ", SIGNATURE];
            let bytes = [begins[which], &bytes].concat();
            if let Ok(Preface::Proxied { used, .. }) = Preface::read(&bytes) {
                proptest::prop_assert!(used <= bytes.len());
            }
        }
    }
}
