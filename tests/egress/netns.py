"""The network of a deployed stack, built of Linux network namespaces.

::

    function ── 10.73.0.0/27 ─── nat1 ── 203.0.113.7 ─┐
        │                                             │
        └────── 10.73.0.32/27 ── nat2 ── 203.0.113.8 ─┴─ internet ── 203.0.113.80 WeChat

The function has private addresses only. Its default route is one of the NAT namespaces, which translate
the source to their own public address: what a NAT gateway does with its Elastic IP. Routes around them
(:meth:`Network.add_bypass`, :meth:`Network.add_ipv6`) exist only in the tests that need one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

WECHAT = "203.0.113.80"
NAT1, NAT2 = "203.0.113.7", "203.0.113.8"
BYPASS = "203.0.113.99"
WECHAT_IPV6, FUNCTION_IPV6 = "2001:db8:1::80", "2001:db8:1::99"
# A user's PATH may lack where iproute2 and nftables are.
os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
HOSTS = ("api.weixin.qq.com", "api2.weixin.qq.com")

NAT_RULES = """
table ip nat {{
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    oifname "out" snat to {address}
  }}
}}
"""

OUTAGE_RULES = """
table ip outage {
  chain forward {
    type filter hook forward priority 0; policy drop;
  }
}
"""


def why_not() -> str | None:
    """Why namespaces cannot be made here; nothing when they can."""
    if os.name != "posix" or not Path("/proc/self/ns/net").exists():
        return "needs Linux network namespaces"
    if os.geteuid() != 0:
        return "needs root, to make network namespaces (sudo make test-egress)"
    for tool, package in (("ip", "iproute2"), ("nft", "nftables")):
        if shutil.which(tool) is None:
            return f"needs {tool} (apt-get install {package})"
    probe = f"probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True)
    if made.returncode:
        return f"cannot make a network namespace: {made.stderr.strip()}"
    try:
        rules = NAT_RULES.format(address=NAT1)
        loaded = subprocess.run(["ip", "netns", "exec", probe, "nft", "-f", "-"], input=rules, capture_output=True, text=True)
        return f"cannot translate addresses: {loaded.stderr.strip()}" if loaded.returncode else None
    finally:
        subprocess.run(["ip", "netns", "delete", probe], capture_output=True)


class Network:
    """The namespaces; removed, with everything in them, on leaving the context."""

    def __init__(self) -> None:
        self._prefix = f"preauth{os.getpid()}"
        self.function, self.nat1, self.nat2, self.wechat = (
            f"{self._prefix}-{role}" for role in ("function", "nat1", "nat2", "wechat")
        )

    def __enter__(self) -> Network:
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for namespace in (self.function, self.nat1, self.nat2, self.wechat):
            subprocess.run(["ip", "netns", "delete", namespace], capture_output=True)
        shutil.rmtree(f"/etc/netns/{self.function}", ignore_errors=True)

    def run(self, namespace: str, *command: str, stdin: str | None = None) -> str:
        """Runs a command inside a namespace."""
        done = subprocess.run(
            ["ip", "netns", "exec", namespace, *command], input=stdin, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def ip(self, namespace: str, *arguments: str) -> None:
        self.run(namespace, "ip", *arguments)

    def _link(self, namespace: str, name: str, peer_namespace: str, peer: str) -> None:
        self.ip(namespace, "link", "add", name, "type", "veth", "peer", "name", peer, "netns", peer_namespace)
        self.ip(namespace, "link", "set", name, "up")
        self.ip(peer_namespace, "link", "set", peer, "up")

    def _build(self) -> None:
        for namespace in (self.function, self.nat1, self.nat2, self.wechat):
            subprocess.run(["ip", "netns", "add", namespace], check=True, capture_output=True)
            self.ip(namespace, "link", "set", "lo", "up")
        # An address of its own: a bridge takes that of its ports otherwise, and changes it with them.
        self.ip(self.wechat, "link", "add", "internet", "address", "02:00:00:00:00:50", "type", "bridge")
        self.ip(self.wechat, "link", "set", "internet", "up")
        self.ip(self.wechat, "address", "add", f"{WECHAT}/24", "dev", "internet")
        for nat, public, inside, gateway, address in (
            (self.nat1, NAT1, "eth1", "10.73.0.1/27", "10.73.0.4/27"),
            (self.nat2, NAT2, "eth2", "10.73.0.33/27", "10.73.0.36/27"),
        ):
            self._attach(nat, "out", f"{public}/24")
            self._link(self.function, inside, nat, "in")
            self.ip(nat, "address", "add", gateway, "dev", "in")
            self.ip(self.function, "address", "add", address, "dev", inside)
            self.run(nat, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
            self.run(nat, "nft", "-f", "-", stdin=NAT_RULES.format(address=public))
            # The VPC's router delivers to every private address, whichever NAT gateway the answer came by.
            self.ip(nat, "route", "add", "10.73.0.0/24", "via", address.split("/")[0])
        self.leave_by_nat1()
        self.name_hosts(WECHAT)

    def _attach(self, namespace: str, name: str, address: str, *options: str) -> None:
        """Gives a namespace an interface on the internet."""
        port = f"{name}-{namespace.rsplit('-', 1)[1]}"[:15]
        self._link(namespace, name, self.wechat, port)
        self.ip(self.wechat, "link", "set", port, "master", "internet")
        self.ip(namespace, "address", "add", address, "dev", name, *options)

    # ── What the tests change ──

    def leave_by_nat1(self) -> None:
        self.ip(self.function, "route", "replace", "default", "via", "10.73.0.1")

    def leave_by_nat2(self) -> None:
        self.ip(self.function, "route", "replace", "default", "via", "10.73.0.33")

    def leave_by_nothing(self) -> None:
        self.ip(self.function, "route", "delete", "default")

    def nat1_drops(self, drops: bool) -> None:
        """A NAT gateway that is down takes packets and gives nothing back."""
        if drops:
            self.run(self.nat1, "nft", "-f", "-", stdin=OUTAGE_RULES)
        else:
            self.run(self.nat1, "nft", "delete", "table", "ip", "outage")

    def add_bypass(self) -> None:
        """A public address of the function's own, as in a public subnet, and the direct route with it."""
        self._attach(self.function, "bypass", f"{BYPASS}/24")

    def remove_bypass(self) -> None:
        self.ip(self.function, "link", "delete", "bypass")

    def add_ipv6(self) -> None:
        """IPv6 of the function's own that reaches WeChat, whose names have AAAA records now."""
        self.ip(self.wechat, "address", "add", f"{WECHAT_IPV6}/64", "dev", "internet", "nodad")
        self._attach(self.function, "dual", f"{FUNCTION_IPV6}/64", "nodad")
        # IPv6 first, as resolvers give it.
        self.name_hosts(WECHAT_IPV6, WECHAT)

    def remove_ipv6(self) -> None:
        self.ip(self.function, "link", "delete", "dual")
        self.ip(self.wechat, "address", "delete", f"{WECHAT_IPV6}/64", "dev", "internet")
        self.name_hosts(WECHAT)

    def name_hosts(self, *addresses: str) -> None:
        """What WeChat's names resolve to inside the function. `ip netns exec` puts the file in place."""
        directory = Path("/etc/netns") / self.function
        directory.mkdir(parents=True, exist_ok=True)
        lines = ["127.0.0.1 localhost"] + [f"{address} {' '.join(HOSTS)}" for address in addresses]
        # Written in place: processes already inside see the file by its inode.
        (directory / "hosts").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (directory / "nsswitch.conf").write_text("hosts: files\n", encoding="utf-8")
