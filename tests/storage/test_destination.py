"""Only the environment decides which storage a run publishes to."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.model.errors import SettingError
from pipeline.storage.destination import destination

MINE = {"PRESS_BUCKET": "news"}


def test_without_settings_the_embedded_store_is_used(tmp_path: Path) -> None:
    found = destination({}, tmp_path)
    assert found.embedded
    assert found.bucket != found.private_bucket
    assert found.address == f"{found.endpoint}/{found.bucket}/" == found.base_url


def test_the_embedded_address_is_known_before_the_first_start_and_does_not_change(tmp_path: Path) -> None:
    assert destination({}, tmp_path).address == destination({}, tmp_path).address


def test_only_the_owner_can_read_the_store_folder(tmp_path: Path) -> None:
    destination({}, tmp_path)
    paths = [tmp_path / ".store", *(tmp_path / ".store").iterdir()]
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in paths)


def test_two_newsrooms_have_two_addresses(tmp_path: Path) -> None:
    assert destination({}, tmp_path / "a").address != destination({}, tmp_path / "b").address


def test_with_an_own_storage_no_store_folder_is_created(tmp_path: Path) -> None:
    destination(MINE, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_own_endpoint_is_addressed_by_path(tmp_path: Path) -> None:
    found = destination({**MINE, "AWS_ENDPOINT_URL_S3": "https://s3.example.org:9000/"}, tmp_path)
    assert (found.endpoint, found.address) == ("https://s3.example.org:9000", "https://s3.example.org:9000/news/")
    assert found.private_address == "https://s3.example.org:9000/news-private/"


def test_the_s3_endpoint_variable_wins_over_the_general_one(tmp_path: Path) -> None:
    both = {**MINE, "AWS_ENDPOINT_URL": "http://b.example", "AWS_ENDPOINT_URL_S3": "http://a.example"}
    assert destination(both, tmp_path).endpoint == "http://a.example"
    assert destination({**both, "AWS_ENDPOINT_URL_S3": ""}, tmp_path).endpoint == "http://b.example"


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "https://news.s3.us-east-1.amazonaws.com/"),
        ({"AWS_REGION": "eu-west-2"}, "https://news.s3.eu-west-2.amazonaws.com/"),
        ({"AWS_DEFAULT_REGION": "eu-west-3"}, "https://news.s3.eu-west-3.amazonaws.com/"),
        ({"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "x"}, "https://news.s3.eu-west-2.amazonaws.com/"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-3"}, "https://news.s3.eu-west-3.amazonaws.com/"),
        ({"AWS_REGION": "cn-north-1"}, "https://news.s3.cn-north-1.amazonaws.com.cn/"),
        ({"PRESS_BUCKET": "news.example.org"}, "https://s3.us-east-1.amazonaws.com/news.example.org/"),
        ({"PRESS_ADDRESSING": "path"}, "https://s3.us-east-1.amazonaws.com/news/"),
        ({"PRESS_PUBLIC_URL": "https://pub-1.example"}, "https://pub-1.example/"),
    ],
)
def test_addresses_at_aws(settings: dict[str, str], address: str, tmp_path: Path) -> None:
    assert destination({**MINE, **settings}, tmp_path).address == address


@pytest.mark.parametrize(
    ("addressing", "address"),
    [
        ("", "https://s3.example.org:9000/news/"),
        ("path", "https://s3.example.org:9000/news/"),
        ("virtual", "https://news.s3.example.org:9000/"),
    ],
)
def test_the_bucket_is_where_the_addressing_says(addressing: str, address: str, tmp_path: Path) -> None:
    """For readers and for anonymous requests; the signed ones are tested at a real server."""
    found = destination(
        {**MINE, "AWS_ENDPOINT_URL_S3": "https://s3.example.org:9000", "PRESS_ADDRESSING": addressing}, tmp_path
    )
    assert (found.address, found.base_url) == (address, address)
    assert found.private_address == address.replace("news", "news-private")


@pytest.mark.parametrize(
    ("settings", "newsroom", "base"),
    [
        ({}, "", "https://news.s3.us-east-1.amazonaws.com/"),
        ({}, "https://press.example.org", "https://press.example.org/"),
        ({"PRESS_BASE_URL": "http://cdn.example/x"}, "https://press.example.org/", "http://cdn.example/x/"),
        ({"PRESS_BASE_URL": ""}, "https://press.example.org/", "https://press.example.org/"),
        ({"PRESS_BASE_URL": "https://zürich.example/presse"}, "", "https://xn--zrich-kva.example/presse/"),
        ({"PRESS_BASE_URL": "https://STRAßE.example:8443/"}, "", "https://xn--strae-oqa.example:8443/"),
        ({"PRESS_BASE_URL": "http://cdn.example/ü/"}, "", "http://cdn.example/%C3%BC/"),
        ({}, "https://보도.example", "https://xn--hq1b67o.example/"),
    ],
)
def test_the_address_that_readers_see(settings: dict[str, str], newsroom: str, base: str, tmp_path: Path) -> None:
    assert destination({**MINE, **settings}, tmp_path, newsroom).base_url == base


def test_the_private_bucket_may_be_named(tmp_path: Path) -> None:
    assert destination(MINE, tmp_path).private_bucket == "news-private"
    assert destination({**MINE, "PRESS_PRIVATE_BUCKET": "vault"}, tmp_path).private_bucket == "vault"


def test_ci_may_ask_for_the_embedded_store(tmp_path: Path) -> None:
    asked = {"CI": "true", "PRESS_STORE": "embedded", "AWS_ENDPOINT_URL_S3": "http://elsewhere.example"}
    assert destination(asked, tmp_path).endpoint.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"AWS_ENDPOINT_URL_S3": "http://x.example"}, "AWS_ENDPOINT_URL_S3 is set, but PRESS_BUCKET is not"),
        ({"AWS_ENDPOINT_URL": "http://x.example"}, "AWS_ENDPOINT_URL is set, but PRESS_BUCKET is not"),
        ({"PRESS_PRIVATE_BUCKET": "vault"}, "PRESS_PRIVATE_BUCKET is set, but PRESS_BUCKET is not"),
        ({"PRESS_BASE_URL": "https://cdn.example/"}, "PRESS_BASE_URL is set, but PRESS_BUCKET is not"),
        ({"CI": "true"}, "PRESS_BUCKET is not set in this CI job"),
        ({"CI": "1", "PRESS_BUCKET": ""}, "PRESS_BUCKET is not set in this CI job"),
        ({"PRESS_STORE": "s3"}, "'s3' is not valid"),
        ({**MINE, "PRESS_STORE": "embedded"}, "both set"),
        ({**MINE, "PRESS_PRIVATE_BUCKET": "news"}, "is also the public bucket"),
        ({**MINE, "PRESS_ADDRESSING": "host"}, "PRESS_ADDRESSING: 'host' is not valid"),
        (
            {**MINE, "PRESS_ADDRESSING": "virtual", "AWS_ENDPOINT_URL_S3": "http://10.0.0.1:9000"},
            "PRESS_ADDRESSING=virtual needs a host with a name",
        ),
        ({**MINE, "PRESS_PUBLIC_URL": "pub-1.example"}, "PRESS_PUBLIC_URL: 'pub-1.example' is not an http"),
        ({"PRESS_BUCKET": "s3://news"}, "is not a valid bucket name"),
        ({"PRESS_BUCKET": "news/press"}, "is not a valid bucket name"),
        ({"PRESS_BUCKET": "News"}, "is not a valid bucket name"),
        ({"PRESS_BUCKET": "ab"}, "is not a valid bucket name"),
        ({"PRESS_BUCKET": "10.0.0.1"}, "is not a valid bucket name"),
        ({"PRESS_BUCKET": "a" * 60}, "PRESS_PRIVATE_BUCKET"),
        ({**MINE, "AWS_ENDPOINT_URL_S3": "s3.example.org"}, "AWS_ENDPOINT_URL_S3: 's3.example.org' is not an http"),
        ({**MINE, "PRESS_BASE_URL": "ftp://x.example/"}, "PRESS_BASE_URL: 'ftp://x.example/' is not an http"),
        ({**MINE, "PRESS_BASE_URL": "https://x.example/?a"}, "query"),
        ({**MINE, "PRESS_BASE_URL": "https://x.example/ a"}, "is not an http"),
        ({**MINE, "PRESS_BASE_URL": "https://"}, "is not an http"),
        ({**MINE, "PRESS_BASE_URL": "https://x.example:99999/"}, "not a valid address"),
        ({**MINE, "PRESS_BASE_URL": "https://x.example/news/index.html"}, "address of a page (index.html)"),
        ({**MINE, "PRESS_BASE_URL": "https://x.example/Home.aspx/"}, "address of a page (Home.aspx)"),
        ({**MINE, "PRESS_BASE_URL": "https://x.example//"}, "empty folder name (//)"),
        ({**MINE, "PRESS_BASE_URL": "https://x.example/a//b/"}, "empty folder name (//)"),
        ({**MINE, "PRESS_BASE_URL": "https://x.example/a/../"}, "folder . or .."),
        ({**MINE, "PRESS_BASE_URL": "https://x.example/\n"}, "line break"),
        ({**MINE, "PRESS_BASE_URL": "https://x.example\r\n/a"}, "line break"),
        ({**MINE, "PRESS_BASE_URL": "https://-ü-.example/"}, "not in a valid domain"),
    ],
)
def test_wrong_or_incomplete_settings_are_refused_with_a_hint(
    settings: dict[str, str], says: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingError) as caught:
        destination(settings, tmp_path)
    assert says in str(caught.value)
    assert caught.value.hint
    assert caught.value.status == 2


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("https://x.example/news/index.html", "https://x.example/news/"),
        ("https://x.example//news//", "https://x.example/news/"),
        ("https://zürich.example//index.htm", "https://xn--zrich-kva.example/"),
        ("http://[::1]:90/a/index.html", "http://[::1]:90/a/"),
    ],
)
def test_the_hint_shows_the_address_to_write(typed: str, right: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError) as caught:
        destination({**MINE, "PRESS_BASE_URL": typed}, tmp_path)
    assert caught.value.hint == f"write it as {right}"


def test_pages_may_be_rendered_for_an_address_without_a_bucket(tmp_path: Path) -> None:
    asked = {"PRESS_BASE_URL": "https://cdn.example/", "CI": "true"}
    assert destination(asked, tmp_path, publishing=False).base_url == "https://cdn.example/"


def test_the_address_to_print_is_one_that_answers(tmp_path: Path) -> None:
    """The embedded store is on this machine alone, whatever address newsroom.toml names."""
    embedded = destination({}, tmp_path, "https://press.example.org/")
    assert embedded.printed_url == embedded.address
    assert destination(MINE, tmp_path, "https://press.example.org/").printed_url == "https://press.example.org/"


def test_a_password_in_an_address_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingError) as caught:
        destination({**MINE, "AWS_ENDPOINT_URL_S3": "https://me:geheim@x.example"}, tmp_path)
    assert "geheim" not in str(caught.value) + caught.value.hint


def test_a_folder_that_cannot_be_created_is_a_setting_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="cannot create"):
        destination({}, tmp_path / "file")


def test_a_damaged_port_file_says_what_to_do(tmp_path: Path) -> None:
    destination({}, tmp_path)
    (tmp_path / ".store/ports.json").write_text("{")
    with pytest.raises(SettingError, match=r"ports\.json cannot be read"):
        destination({}, tmp_path)


def test_the_destination_is_decided_without_boto3() -> None:
    code = "import sys, pipeline.storage.destination, pipeline.storage.embedded; print('botocore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
