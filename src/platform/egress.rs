//! The addresses that WeChat should see, and the remedy when it refuses the one it saw.

use std::net::Ipv4Addr;

use super::problem::texts;

/// The Elastic IPs of the NAT gateways that this function's traffic leaves from. With an empty list nothing can be
/// said about an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EgressIps(Vec<Ipv4Addr>);

impl EgressIps {
    /// Parses a comma-separated list of IPv4 addresses, which may be empty.
    ///
    /// # Errors
    /// The first entry that is not an IPv4 address.
    pub fn parse(list: &str) -> std::result::Result<Self, String> {
        list.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| entry.parse().map_err(|_| entry.to_owned()))
            .collect::<std::result::Result<_, _>>()
            .map(Self)
    }

    /// The addresses.
    pub fn addresses(&self) -> &[Ipv4Addr] {
        &self.0
    }

    /// Whether `address` is one of them.
    pub fn contains(&self, address: &str) -> bool {
        address.parse().is_ok_and(|address: Ipv4Addr| self.0.contains(&address))
    }

    /// Whether `address` is one of them; `None` while none is known.
    pub fn is_egress_ip(&self, address: &str) -> Option<bool> {
        (!self.0.is_empty()).then(|| self.contains(address))
    }

    /// The addresses as text.
    pub fn shown(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// The remedy for 61004, 40164 and 45035, given the address that WeChat named.
    pub fn remedy(&self, seen: Option<&str>) -> String {
        let text = match seen {
            Some(seen) if self.contains(seen) => texts::EGRESS_IP_OURS_REMEDY,
            Some(_) if self.0.is_empty() => texts::EGRESS_IP_UNLISTED_REMEDY,
            Some(_) => texts::EGRESS_IP_FOREIGN_REMEDY,
            None if self.0.is_empty() => texts::EGRESS_IP_UNKNOWN_REMEDY,
            None => texts::EGRESS_IP_UNNAMED_REMEDY,
        };
        text.with(&[("seen", &seen.unwrap_or_default()), ("ours", &self.shown().join(", "))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_depends_on_which_address_wechat_saw() {
        let ours = EgressIps::parse("203.0.113.7, 203.0.113.8").unwrap();
        assert!(ours.remedy(Some("203.0.113.8")).contains("Append 203.0.113.8"));
        assert!(ours.remedy(Some("198.51.100.1")).contains("bypasses the NAT gateway"));
        assert!(ours.remedy(Some("2001:db8::1")).contains("bypasses the NAT gateway"));
        assert!(ours.remedy(None).contains("did not name the address"));
        let unknown = EgressIps::parse("").unwrap();
        for remedy in [unknown.remedy(Some("203.0.113.7")), unknown.remedy(None)] {
            assert!(remedy.contains("EGRESS_IPS is empty") && !remedy.contains("bypasses"), "{remedy}");
        }
    }

    #[test]
    fn only_ipv4_addresses_are_egress_ips() {
        assert_eq!(EgressIps::parse("203.0.113.7,nat-1").unwrap_err(), "nat-1");
        assert_eq!(EgressIps::parse("::1").unwrap_err(), "::1");
    }
}
