//! Which addresses WeChat should see, and what to do when it saw another.

use std::net::Ipv4Addr;

/// The Elastic IPs of the NAT gateways that this function's traffic leaves from. May be empty: then
/// nothing is known, and nothing is accused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EgressIps(Vec<Ipv4Addr>);

impl EgressIps {
    /// Parses a comma-separated list of IPv4 addresses; an empty list is fine.
    ///
    /// # Errors
    /// The first entry that is no IPv4 address.
    pub fn parse(list: &str) -> std::result::Result<Self, String> {
        list.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| entry.parse().map_err(|_| entry.to_owned()))
            .collect::<std::result::Result<_, _>>()
            .map(Self)
    }

    /// The addresses.
    #[must_use]
    pub fn addresses(&self) -> &[Ipv4Addr] {
        &self.0
    }

    /// Whether `address` is one of them.
    #[must_use]
    pub fn contains(&self, address: &str) -> bool {
        address.parse().is_ok_and(|address: Ipv4Addr| self.0.contains(&address))
    }

    /// What to do about 61004, 40164 or 45035, given the address that WeChat named.
    #[must_use]
    pub fn remedy(&self, seen: Option<&str>) -> String {
        match seen {
            Some(seen) if self.contains(seen) => format!(
                "WeChat saw {seen}, which is one of this service's egress IPs. Append {seen} to the \
                 platform's 白名单IP地址列表 (open.weixin.qq.com, 管理中心 - 第三方平台 - 开发配置 - 开发资料) \
                 under 修改, which acts on the live version at once; a change made under 编辑 needs \
                 全网发布. Append, never replace the list: it covers every call of the platform."
            ),
            Some(seen) if !self.0.is_empty() => format!(
                "WeChat saw {seen}, which is not one of this service's egress IPs ({}): this function's \
                 traffic bypasses the NAT gateway. Check that its subnets' default route is the NAT \
                 gateway and that no other way out exists (IPv6, transit gateway, proxy). Do not \
                 register {seen}: it may change.",
                self.listed()
            ),
            Some(seen) => format!(
                "WeChat saw {seen}. EGRESS_IPS is empty, so this service cannot tell whether that is a \
                 fixed address of its own. If it is, append it to the platform's 白名单IP地址列表 under \
                 修改 (编辑 needs 全网发布); never replace the list."
            ),
            None if self.0.is_empty() => "WeChat did not name the address it saw, and EGRESS_IPS is empty: \
                 nothing more is known. Compare the platform's 白名单IP地址列表 with the addresses this \
                 function's traffic leaves from."
                .to_owned(),
            None => format!(
                "WeChat did not name the address it saw. Check that the platform's 白名单IP地址列表 holds \
                 all of this service's egress IPs: {}.",
                self.listed()
            ),
        }
    }

    fn listed(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
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
