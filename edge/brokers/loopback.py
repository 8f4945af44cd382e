"""Whether what is sent to a host stays on this machine."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host is this one, by its name or address.

    >>> is_loopback("localhost"), is_loopback("127.0.0.7"), is_loopback("0.0.0.0"), is_loopback("broker.plant")
    (True, True, False, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
