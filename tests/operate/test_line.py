"""The words of the line, from make to the parameters of the two templates."""

from __future__ import annotations

import subprocess
import sys

import line
import platform_name
import pytest
import small
from conftest import SCRIPTS
from samtranslator.yaml_helper import yaml_parse
from stop import Stop

SERVICE, NETWORK = small.service()["Parameters"], small.network()["Parameters"]


def parse(*words: str) -> line.Line:
    return line.parse(list(words), SERVICE, NETWORK)


@pytest.mark.parametrize("word", ["EipAllocationId1=x", "EIP_ALLOCATION_ID1=x", "EIP_ALLOCATION_ID_1=x"])
def test_a_parameter_has_the_templates_name_or_capitals(word):
    assert parse(word).network == {"EipAllocationId1": "x"}


def test_every_parameter_has_a_name_in_capitals():
    names = {*SERVICE, *NETWORK}
    assert {line.upper(name) for name in ("DynamoDbEndpointId", "KmsKeyArn")} == {"DYNAMO_DB_ENDPOINT_ID", "KMS_KEY_ARN"}
    for name in names:
        assert line._in_capitals(line.upper(name), dict.fromkeys(names)) == name


@pytest.mark.parametrize("word, near", [
    ("Mintin=on", "Minting"), ("natmode=single", "NatMode"), ("REGISTRED=yes", "REGISTERED"), ("STAK=x", "STACK"),
])
def test_an_unknown_word_is_refused_with_the_nearest_one(word, near):
    with pytest.raises(Stop, match=f"Did you mean {near}"):
        parse(word)


def test_a_word_like_nothing_is_refused_without_a_guess():
    with pytest.raises(Stop) as stopped:
        parse("Zzzzzzz=1")
    assert "Did you mean" not in str(stopped.value)


@pytest.mark.parametrize("word, says", [
    ("Minting=yes", "one of on, off"),
    ("ReservedConcurrency=-1", "out of range"),
    ("ReservedConcurrency=many", "not a number"),
    ("EgressIps=203.0.113.7;203.0.113.8", "has not the form"),
    ("EgressIps=203.0.113.7,here", "has not the form"),
    ("DynamoDbEndpointId=vpce-", "has not the form"),
])
def test_a_value_that_the_template_does_not_allow_is_named_at_once(word, says):
    with pytest.raises(Stop, match=says):
        parse(word)


def test_a_list_may_have_spaces_and_an_optional_value_may_be_emptied():
    assert parse("EgressIps=203.0.113.7, 203.0.113.8", "CustomDomainName=").service == {
        "EgressIps": "203.0.113.7, 203.0.113.8", "CustomDomainName": ""}


def test_two_values_for_one_parameter_are_refused():
    with pytest.raises(Stop, match="given twice"):
        parse("Minting=on", "MINTING=off")
    assert parse("Minting=on", "MINTING=on").service == {"Minting": "on"}


def test_a_value_that_is_given_beats_the_one_before_and_the_default():
    values = line.values(SERVICE, {"Minting": "on"}, {"Minting": "off", "Architecture": "arm64"})
    assert (values["Minting"], values["Architecture"], values["ReservedConcurrency"]) == ("on", "arm64", "0")
    assert "SubnetIds" in line.missing(SERVICE, {}, {})


@pytest.mark.parametrize("written, stored", [
    ("Shop & Co.", "Shop & Co."), ("店铺", "\\u5e97\\u94fa"), ("A 店", "A \\u5e97"), ("😀", "\\ud83d\\ude00"),
    ("\\u5e97", "\\u5e97"), ('a "b"', "a \\u0022b\\u0022"), ("a\\b", "a\\u005cb"), ("", ""),
])
def test_a_platforms_name_is_stored_in_ascii_and_shown_as_it_was_written(written, stored):
    (found,) = parse(f"PlatformName={written}").service.values()
    assert found == stored and found.isascii()
    assert platform_name.shown(found) == (written if not written.startswith("\\u") else "店")
    assert parse(f"PlatformName={written}", f"PLATFORM_NAME={written}").service == {"PlatformName": stored}


def test_the_templates_own_pattern_takes_what_is_stored_and_not_what_was_written():
    pattern = yaml_parse((SCRIPTS.parent / "template.yaml").read_text())["Parameters"]["PlatformName"]["AllowedPattern"]
    assert pattern == SERVICE["PlatformName"]["AllowedPattern"]
    for written in ("店铺", 'a "b"', "a\\b", "😀"):
        assert line.wrong(SERVICE["PlatformName"], written) and not line.wrong(SERVICE["PlatformName"], platform_name.stored(written))


@pytest.mark.parametrize("name", ["店" * 41, "a\nb", "\\u000a", "\\ud83d"])
def test_a_name_that_the_pages_would_not_take_is_refused_before_anything_is_deployed(name):
    with pytest.raises(Stop, match="PlatformName="):
        parse(f"PlatformName={name}")
    assert parse(f"PlatformName={'店' * 40}")


def test_make_hands_the_words_down_unchanged(tmp_path):
    """No shell reads them: `$`, spaces, quotes and semicolons arrive as they were written."""
    shown = "import line, os; print('|'.join(line.of_make(os.environ)))"
    (tmp_path / "Makefile").write_text(f'show:\n\t@PYTHONPATH={SCRIPTS} {sys.executable} -c "{shown}"\n')
    words = ["Minting=on", "CustomDomainName=a b;'c'", "CallerPrincipals=1,2", "AlarmTopicArn=", "PlatformName=某某 😀"]
    found = subprocess.run(["make", "-s", "-C", tmp_path, "show", *words], capture_output=True, text=True, check=True)
    assert sorted(found.stdout.strip().split("|")) == sorted(words)
