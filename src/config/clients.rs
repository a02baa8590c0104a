//! Who the client is, where proxies stand between.

use std::net::IpAddr;

use super::{ConfigError, Origins};

/// How the address of a client is found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clients {
    header: Option<String>,
    proxies: Vec<Network>,
}

/// Addresses with the same beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().ok()?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(whole);
        (bits <= whole).then_some(Self { address, bits })
    }

    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(address)) => {
                let rest = 32 - self.bits;
                u32::from(own).checked_shr(rest) == u32::from(address).checked_shr(rest)
            }
            (IpAddr::V6(own), IpAddr::V6(address)) => {
                let rest = 128 - self.bits;
                u128::from(own).checked_shr(rest) == u128::from(address).checked_shr(rest)
            }
            _ => false,
        }
    }
}

impl Clients {
    /// Clients behind proxies; an error names the setting that is wrong.
    pub fn behind(header: &str, proxies: &str) -> Result<Self, (&'static str, String)> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if !header.chars().all(is_token) {
            let what = format!("'{header}' is not the name of a header");
            return Err(("server.client_address_header", what));
        }
        let parse = |text: &str| {
            Network::parse(text).ok_or_else(|| {
                let what = format!("'{text}' is neither an address nor a network");
                ("server.trusted_proxies", what)
            })
        };
        let listed = proxies.split(',').map(str::trim);
        let proxies = listed
            .filter(|text| !text.is_empty())
            .map(parse)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            header: Some(header.to_ascii_lowercase()).filter(|header| !header.is_empty()),
            proxies,
        })
    }

    /// The header in which proxies give the address.
    pub fn header(&self) -> Option<&str> {
        self.header.as_deref()
    }

    /// The client behind a connection from `peer` whose header has these values. What a client
    /// itself wrote into the header is never believed.
    pub fn address<'a>(
        &self,
        peer: IpAddr,
        values: impl DoubleEndedIterator<Item = &'a str>,
    ) -> IpAddr {
        let mut client = peer;
        let mut listed = values.rev().flat_map(|value| value.rsplit(','));
        while self.proxies.iter().any(|proxy| proxy.contains(client)) {
            match listed.next().and_then(|text| text.trim().parse().ok()) {
                Some(address) => client = address,
                None => break,
            }
        }
        client
    }
}

pub(super) fn check(
    header: &str,
    proxies: &str,
    origins: &Origins,
) -> Result<Clients, ConfigError> {
    if header.is_empty() != proxies.is_empty() {
        let what =
            "the header and the proxies whose header is believed are given together or not at all";
        return Err(origins.wrong("server.client_address_header", what));
    }
    Clients::behind(header, proxies).map_err(|(key, what)| origins.wrong(key, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(clients: &Clients, peer: &str, values: &[&str]) -> String {
        let peer = peer.parse().expect("an address");
        clients.address(peer, values.iter().copied()).to_string()
    }

    #[test]
    fn without_proxies_the_client_is_who_connects() {
        let none = Clients::default();
        assert_eq!(found(&none, "192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
    }

    #[test]
    fn only_what_trusted_proxies_add_is_believed() {
        let clients = Clients::behind("X-Forwarded-For", "10.1.0.4, 10.2.0.0/16,fd00::/8");
        let clients = clients.expect("settings");
        let through = |peer: &str, values: &[&str]| found(&clients, peer, values);
        assert_eq!(through("10.1.0.4", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(
            through("10.1.0.4", &["198.51.100.1, 203.0.113.9, 10.2.7.7"]),
            "203.0.113.9"
        );
        assert_eq!(
            through("fd00::1", &["198.51.100.1", "203.0.113.9"]),
            "203.0.113.9"
        );
        assert_eq!(through("::ffff:10.1.0.4", &["203.0.113.9"]), "203.0.113.9");
        // Not a proxy of ours, or one that says nothing that can be read.
        assert_eq!(through("10.1.0.5", &["203.0.113.9"]), "10.1.0.5");
        assert_eq!(through("10.1.0.4", &[]), "10.1.0.4");
        assert_eq!(through("10.1.0.4", &["203.0.113.9, nobody"]), "10.1.0.4");
    }

    #[test]
    fn networks_are_read_with_care() {
        for wrong in ["10.0.0.0/33", "::/129", "10.0.0", "10.0.0.0/x", "proxy"] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
        let every = Network::parse("0.0.0.0/0").expect("a network");
        assert!(every.contains("203.0.113.9".parse().expect("an address")));
        assert!(!every.contains("2001:db8::1".parse().expect("an address")));
    }
}
