"""The network of a deployed stack, built of Linux network namespaces.

::

    function ── 10.73.0.0/27 ─── nat1 ── 203.0.113.7 ─┐
        │                                             │
        └────── 10.73.0.32/27 ── nat2 ── 203.0.113.8 ─┴─ internet ── 203.0.113.80 WeChat

The function has only private addresses. Its default route leads to one of the NAT namespaces. Like a NAT gateway
with its Elastic IP, each of them translates the source to its own public address. Ways around them
(:meth:`Network.bypass`, :meth:`Network.ipv6`) exist only in the tests that need one.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Iterator

WECHAT = "203.0.113.80"
NAT1, NAT2 = "203.0.113.7", "203.0.113.8"
# The private addresses of the NAT namespaces.
GATEWAY1, GATEWAY2 = "10.73.0.1", "10.73.0.33"
BYPASS = "203.0.113.99"
WECHAT_IPV6, FUNCTION_IPV6 = "2001:db8:1::80", "2001:db8:1::99"
HOSTS = ("api.weixin.qq.com", "api2.weixin.qq.com")
# iproute2 and nftables are here, and a user's PATH may lack these folders.
os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

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
    """Why this machine cannot run the tests; ``None`` if it can."""
    if not Path("/proc/self/ns/net").exists():
        return "needs Linux network namespaces"
    if os.geteuid() != 0:
        return "needs root, to make network namespaces (sudo make test-egress)"
    for tool, package in (("ip", "iproute2"), ("nft", "nftables")):
        if shutil.which(tool) is None:
            return f"needs {tool} (apt-get install {package})"
    probe = f"probe-{os.getpid()}"
    try:
        run("ip", "netns", "add", probe)
        run("ip", "netns", "exec", probe, "nft", "-f", "-", stdin=NAT_RULES.format(address=NAT1))
    except RuntimeError as error:
        return str(error)
    finally:
        subprocess.run(["ip", "netns", "delete", probe], capture_output=True)
    return None


def run(*command: str, stdin: str | None = None) -> str:
    """Runs a command and returns its output."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Moves this thread into a network namespace. Sockets and threads that it makes there stay there."""
    setns = ctypes.CDLL(None, use_errno=True).setns
    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{namespace}") as there:
        if setns(there.fileno(), 0):
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
        try:
            yield
        finally:
            assert setns(home.fileno(), 0) == 0, "cannot leave the namespace"


class Network:
    """The namespaces. Leaving the context removes them and everything in them."""

    def __init__(self) -> None:
        self._cleanup = ExitStack()
        self.function, self.nat1, self.nat2, self.wechat = (
            f"preauth{os.getpid()}-{role}" for role in ("function", "nat1", "nat2", "wechat")
        )

    def __enter__(self) -> Network:
        with ExitStack() as cleanup:
            cleanup.callback(shutil.rmtree, f"/etc/netns/{self.function}", ignore_errors=True)
            for namespace in (self.function, self.nat1, self.nat2, self.wechat):
                run("ip", "netns", "add", namespace)
                cleanup.callback(subprocess.run, ["ip", "netns", "delete", namespace], capture_output=True)
                self._ip(namespace, "link", "set", "lo", "up")
            self._build()
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def exec(self, namespace: str, *command: str, stdin: str | None = None) -> str:
        """Runs a command inside a namespace and returns its output."""
        return run("ip", "netns", "exec", namespace, *command, stdin=stdin)

    def _ip(self, namespace: str, *arguments: str) -> None:
        run("ip", "-netns", namespace, *arguments)

    def _link(self, namespace: str, name: str, peer_namespace: str, peer: str) -> None:
        self._ip(namespace, "link", "add", name, "type", "veth", "peer", "name", peer, "netns", peer_namespace)
        self._ip(namespace, "link", "set", name, "up")
        self._ip(peer_namespace, "link", "set", peer, "up")

    def _build(self) -> None:
        # The bridge gets a fixed MAC address. Otherwise it takes that of a port, and changes it with the ports.
        self._ip(self.wechat, "link", "add", "internet", "address", "02:00:00:00:00:50", "type", "bridge")
        self._ip(self.wechat, "link", "set", "internet", "up")
        self._ip(self.wechat, "address", "add", f"{WECHAT}/24", "dev", "internet")
        for nat, public, inside_name, gateway, address in (
            (self.nat1, NAT1, "eth1", GATEWAY1, "10.73.0.4"),
            (self.nat2, NAT2, "eth2", GATEWAY2, "10.73.0.36"),
        ):
            self._attach(nat, "out", f"{public}/24")
            self._link(self.function, inside_name, nat, "in")
            self._ip(nat, "address", "add", f"{gateway}/27", "dev", "in")
            self._ip(self.function, "address", "add", f"{address}/27", "dev", inside_name)
            self.exec(nat, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
            self.exec(nat, "nft", "-f", "-", stdin=NAT_RULES.format(address=public))
            # The VPC's router delivers to every private address, through whichever NAT gateway the answer came.
            self._ip(nat, "route", "add", "10.73.0.0/24", "via", address)
        self.route(GATEWAY1)
        self._name_hosts(WECHAT)

    def _attach(self, namespace: str, name: str, address: str, *options: str) -> None:
        """Gives a namespace an interface on the internet."""
        port = f"{name}-{namespace.rsplit('-', 1)[1]}"[:15]
        self._link(namespace, name, self.wechat, port)
        self._ip(self.wechat, "link", "set", port, "master", "internet")
        self._ip(namespace, "address", "add", address, "dev", name, *options)

    def _name_hosts(self, *addresses: str) -> None:
        """Sets what WeChat's names resolve to inside the function. `ip netns exec` puts the files in place."""
        directory = Path("/etc/netns") / self.function
        directory.mkdir(parents=True, exist_ok=True)
        lines = ["127.0.0.1 localhost"] + [f"{address} {' '.join(HOSTS)}" for address in addresses]
        # The file is written in place, because running processes see it by its inode.
        (directory / "hosts").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (directory / "nsswitch.conf").write_text("hosts: files\n", encoding="utf-8")

    # ── What the tests change ──

    def route(self, gateway: str) -> None:
        """Makes a NAT namespace the function's default route."""
        self._ip(self.function, "route", "replace", "default", "via", gateway)

    @contextmanager
    def routed_through(self, gateway: str | None) -> Iterator[None]:
        """Another default route for the function, or none."""
        if gateway:
            self.route(gateway)
        else:
            self._ip(self.function, "route", "delete", "default")
        try:
            yield
        finally:
            self.route(GATEWAY1)

    @contextmanager
    def nat1_down(self) -> Iterator[None]:
        """A NAT gateway that is down: it drops every packet."""
        self.exec(self.nat1, "nft", "-f", "-", stdin=OUTAGE_RULES)
        try:
            yield
        finally:
            self.exec(self.nat1, "nft", "delete", "table", "ip", "outage")

    @contextmanager
    def bypass(self) -> Iterator[None]:
        """A public address and a direct route for the function, as in a public subnet."""
        self._attach(self.function, "bypass", f"{BYPASS}/24")
        try:
            yield
        finally:
            self._ip(self.function, "link", "delete", "bypass")

    @contextmanager
    def ipv6(self) -> Iterator[None]:
        """An IPv6 address for the function that reaches WeChat, and AAAA records for WeChat's names."""
        self._ip(self.wechat, "address", "add", f"{WECHAT_IPV6}/64", "dev", "internet", "nodad")
        self._attach(self.function, "dual", f"{FUNCTION_IPV6}/64", "nodad")
        # IPv6 comes first, as in a resolver's answer.
        self._name_hosts(WECHAT_IPV6, WECHAT)
        try:
            yield
        finally:
            self._ip(self.function, "link", "delete", "dual")
            self._ip(self.wechat, "address", "delete", f"{WECHAT_IPV6}/64", "dev", "internet")
            self._name_hosts(WECHAT)
