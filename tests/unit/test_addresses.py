"""Which addresses are none of the public internet's, however they are spelled."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client._files.addresses import is_private, is_private_name

PRIVATE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "192.0.2.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fc00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::",
]
PUBLIC = [
    "1.1.1.1",
    "93.184.216.34",
    "100.128.0.1",
    "172.32.0.1",
    "2606:4700::1111",
    "::ffff:1.1.1.1",
    "64:ff9b::101:101",
    "2002:101:101::",
]
SPELLINGS = [
    "2130706433",
    "0x7f000001",
    "017700000001",
    "127.1",
    "127.0.1",
    "0177.0.0.1",
    "0x7f.0.0.0x1",
    "0x7f.1",
    "127.0.0.1.",
    "127.0.0.1..",
    "0",
    "\uff11\uff12\uff17.0.0.1",
    "127\u30020\uff0e0\uff611",
    "127%2e0.0.1",
    "[::1]",
    "::1%lo",
    "fe80::1%eth0",
    "169.254.43518",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "printer.local",
    "metadata.google.internal",
    "nas.home.arpa",
    "host.localdomain",
]
NO_ADDRESSES = [
    "cdn.muapi.ai",
    "localhost.example.com",
    "internal.example.com",
    "mylocalhost",
    "1.2.3.4.5.example",
    "0x7f000001.example.com",
    "1.1.1.1",
    "16843009",
    "[2606:4700::1111]",
    "99999999999",
    "0899.0.0.1",
    "1.2.3.4.5",
    "300.1.1.1",
    "",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address: str) -> None:
    assert is_private(ip_address(address))
    assert is_private_name(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert not is_private(ip_address(address))
    assert not is_private_name(address)


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_private_address_is_known_in_any_spelling(name: str) -> None:
    assert is_private_name(name)


@pytest.mark.parametrize("name", NO_ADDRESSES)
def test_other_names_are_left_to_those_who_resolve_them(name: str) -> None:
    assert not is_private_name(name)


@given(st.text(max_size=40))
def test_no_name_is_too_odd(name: str) -> None:
    assert is_private_name(name) in (True, False)


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:{}", "64:ff9b::{}"]))
def test_an_address_within_another_is_judged_as_itself(address: object, form: str) -> None:
    plain = ip_address(str(address))
    assert is_private(ip_address(form.format(plain))) is is_private(plain)


@given(st.ip_addresses(v=4))
def test_a_number_is_the_address_it_stands_for(address: object) -> None:
    plain = ip_address(str(address))
    assert is_private_name(str(int(plain))) is is_private_name(hex(int(plain))) is is_private(plain)
