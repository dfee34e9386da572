//! Networks by which addresses are let in or believed, and who is meant where proxies stand between.

use core::net::IpAddr;
use core::str::FromStr;

use ipnet::IpNet;

/// A list of networks, such as `10.1.0.0/16` or `2001:db8::/32`, or of single addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// The most there can be in one list.
    pub const MAX: usize = 64;

    /// Reads a list.
    ///
    /// # Errors
    ///
    /// Which of them is no network, or that there are too many.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self, String> {
        if texts.len() > Self::MAX {
            return Err(format!("names {} networks, at most {} are looked at", texts.len(), Self::MAX));
        }
        texts.iter().map(|text| network(text.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address is in one of them. IPv4 written as IPv6 is IPv4.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The texts of all of them.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// Whose request it is that came from `peer`. A proxy of ours says who is behind it in `X-Forwarded-For` or
    /// `Forwarded`; what anybody else says there is not believed. Both headers can come from the client of a proxy that
    /// writes only one of them, so two that do not agree are not believed either.
    pub fn client(&self, peer: IpAddr, x_forwarded_for: &[&str], forwarded: &[&str]) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.contain(peer) {
            return peer;
        }
        let plain = items(x_forwarded_for).map(|item| address_of(item.trim()));
        let named = items(forwarded).map(|item| pairs(item).find_map(for_of).and_then(address_of));
        match (self.nearest(plain), self.nearest(named)) {
            (Found::Client(one), Found::Client(other)) if one == other => one,
            (Found::Client(client), Found::Nobody) | (Found::Nobody, Found::Client(client)) => client,
            _ => peer,
        }
    }

    /// The last that is none of our proxies: what stands before it, anybody can have written.
    fn nearest(&self, items: impl DoubleEndedIterator<Item = Option<IpAddr>>) -> Found {
        let mut found = Found::Nobody;
        for item in items.rev() {
            let Some(address) = item else { return Found::Unclear };
            found = Found::Client(address);
            if !self.contain(address) {
                break;
            }
        }
        found
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// The header is not there.
    Nobody,
    /// It says this.
    Client(IpAddr),
    /// It says something else than an address.
    Unclear,
}

/// The items of a header that may be on several lines, in their order.
fn items<'l>(lines: &'l [&'l str]) -> impl DoubleEndedIterator<Item = &'l str> {
    lines.iter().flat_map(|line| line.split(',')).filter(|item| !item.trim().is_empty()).collect::<Vec<_>>().into_iter()
}

fn pairs(item: &str) -> impl Iterator<Item = (&str, &str)> {
    item.split(';').filter_map(|pair| pair.trim().split_once('='))
}

fn for_of<'i>((name, value): (&'i str, &'i str)) -> Option<&'i str> {
    name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
}

/// An address, with or without a port, in brackets or not.
fn address_of(text: &str) -> Option<IpAddr> {
    let address = text.parse::<IpAddr>().ok();
    let address = address.or_else(|| text.parse::<core::net::SocketAddr>().ok().map(|address| address.ip()));
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    address.or_else(bracketed).map(|address| address.to_canonical())
}

fn network(text: &str) -> Result<IpNet, String> {
    let network = IpNet::from_str(text).or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let network =
        network.map_err(|_| format!("`{text}` is no network, expected one like `10.1.0.0/16` or an address"))?;
    Ok(network.trunc())
}

#[cfg(test)]
mod tests {
    use core::net::IpAddr;

    use super::Networks;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_is_in_a_network_however_it_is_written() {
        let networks = Networks::parse(&["10.1.2.3/16", "192.0.2.7", "2001:db8::/32"]).unwrap();
        assert_eq!(networks.texts(), ["10.1.0.0/16", "192.0.2.7/32", "2001:db8::/32"]);
        for inside in ["10.1.255.1", "::ffff:10.1.0.1", "192.0.2.7", "2001:db8:1::1"] {
            assert!(networks.contain(ip(inside)), "{inside}");
        }
        for outside in ["10.2.0.1", "::ffff:10.2.0.1", "192.0.2.8", "2001:db9::1", "::1"] {
            assert!(!networks.contain(ip(outside)), "{outside}");
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0", "door", "10.0.0.0/8 "] {
            assert!(Networks::parse(&[wrong]).unwrap_err().contains("is no network"), "{wrong}");
        }
        assert!(Networks::parse(&vec!["10.0.0.0/8"; Networks::MAX + 1]).unwrap_err().contains("65"));
    }

    #[test]
    fn only_a_proxy_of_ours_says_who_is_behind_it() {
        let ours = Networks::parse(&["10.0.0.0/8", "2001:db8::/32"]).unwrap();
        let client = |peer, plain: &[&str], named: &[&str]| ours.client(ip(peer), plain, named);
        for (peer, plain, named, expected) in [
            ("192.0.2.1", &["198.51.100.1"][..], &[][..], "192.0.2.1"),
            ("10.0.0.1", &["198.51.100.1"], &[], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], &[], "198.51.100.1"),
            // What the client has written itself stands before what our proxies have.
            ("10.0.0.1", &["192.0.2.9, 198.51.100.1, 10.0.0.2"], &[], "198.51.100.1"),
            ("10.0.0.1", &["192.0.2.9", "198.51.100.1"], &[], "198.51.100.1"),
            ("10.0.0.1", &[], &["for=192.0.2.9, for=\"[2001:db9::1]:4711\";proto=https"], "2001:db9::1"),
            ("10.0.0.1", &[], &["By=x;For=198.51.100.1:80"], "198.51.100.1"),
            // Nothing but proxies: the first of them.
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], &[], "10.0.0.3"),
            // What is not understood, and what does not agree, is not believed.
            ("10.0.0.1", &["198.51.100.1, unknown"], &[], "10.0.0.1"),
            ("10.0.0.1", &[], &["for=_hidden"], "10.0.0.1"),
            ("10.0.0.1", &[], &["proto=https"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], &["for=192.0.2.9"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], &["for=198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &[], &[], "10.0.0.1"),
        ] {
            assert_eq!(client(peer, plain, named), ip(expected), "{peer} {plain:?} {named:?}");
        }
    }
}
