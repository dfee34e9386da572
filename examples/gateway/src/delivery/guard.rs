use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Keeps endpoints from naming our own network: the address that is called is the one that was looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guard {
    /// Whether private addresses may be called after all.
    pub(super) allow_private: bool,
}

impl Guard {
    /// Refuses a URL whose host is an address in a private network. Names are looked at when they resolve.
    pub(super) fn check_literal(self, url: &str) -> Result<(), String> {
        let parsed = reqwest::Url::parse(url).map_err(|error| error.to_string())?;
        let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']);
        match host.parse::<IpAddr>() {
            Ok(address) if !self.allows(address) => Err(refusal()),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn allows(self, address: IpAddr) -> bool {
        self.allow_private || is_public(address)
    }
}

fn refusal() -> String {
    "the address is in a private network; set `delivery.allow_private_targets` if that is meant".to_owned()
}

/// A resolver that gives out vetted addresses only, so the client cannot connect elsewhere.
#[derive(Debug)]
pub(super) struct GuardedResolver(pub(super) Guard);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let vetted: Vec<SocketAddr> = found.filter(|address| guard.allows(address.ip())).collect();
            if vetted.is_empty() {
                return Err(refusal().into());
            }
            Ok(Box::new(vetted.into_iter()) as Addrs)
        })
    }
}

/// Whether an address belongs to the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let carrier = a == 100 && (64..128).contains(&b);
    let protocol = a == 192 && b == 0 && (c == 0 || c == 2);
    let relay = a == 192 && b == 88 && c == 99;
    let benchmark = a == 198 && (18..20).contains(&b);
    let documentation = (a == 198 && b == 51 && c == 100) || (a == 203 && b == 0 && c == 113);
    !(a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || carrier
        || protocol
        || relay
        || benchmark
        || documentation
        || a >= 224)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // An IPv4 address in an IPv6 coat (mapped, compatible, NAT64, 6to4) is judged by what it carries.
    let segments = address.segments();
    let embedded = match segments {
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some((high, low)),
        [0x2002, high, low, ..] => Some((high, low)),
        _ => None,
    };
    if let Some((high, low)) = embedded {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    let [first, second, ..] = segments;
    let global = first & 0xe000 == 0x2000;
    let documentation = first == 0x2001 && second == 0x0db8;
    // Teredo carries an address of a machine behind somebody's relay; nobody has a webhook there.
    let teredo = first == 0x2001 && second == 0;
    global && !documentation && !teredo
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Addresses that other webhook senders were seen to accept.
    #[test]
    fn private_addresses_are_refused_in_every_coat() {
        let private = [
            "127.0.0.1",
            "127.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.88.99.1",
            "2001:0:7f00:1::",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
        ];
        for address in private {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::1.1.1.1"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn literal_hosts_are_checked_as_the_url_parser_reads_them() {
        let guard = Guard { allow_private: false };
        for url in ["http://127.1/", "http://0x7f.1/", "http://2130706433/", "http://[::ffff:127.0.0.1]/"] {
            assert!(guard.check_literal(url).is_err(), "{url}");
        }
        assert!(guard.check_literal("https://example.com/hook").is_ok());
    }
}
