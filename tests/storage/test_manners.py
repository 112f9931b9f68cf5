"""Storages differ. Dateline uses what each has, says what it lacks, and knows what is no storage at all."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from pipeline.model.errors import SettingError, StorageError
from pipeline.storage import CopyRequest, PreconditionFailed, Put, doctor, open_store, prepare
from pipeline.storage.anonymous import AnonymousClient
from pipeline.storage.destination import Destination, destination
from pipeline.storage.doctor import Finding, probes
from pipeline.storage.s3 import setup
from pipeline.storage.s3 import store as s3
from tests.support import faulty, manners
from tests.support.newsroom import Office
from tests.support.public_http import get

SOLE = {"PRESS_SOLE_PUBLISHER": "1"}
BY_HOST = {"PRESS_ADDRESSING": "virtual", "AWS_ENDPOINT_URL_S3": f"http://{manners.HOST}"}


class Usable(Struct, frozen=True):
    """A storage that differs and can be used."""

    manner: faulty.Manner
    settings: Mapping[str, str] = {}
    prepared: str = ""
    """What ``make storage`` says of it, a regular expression."""
    finding: tuple[str, str] = ("", "")
    """A row of ``make doctor`` and what it says, a regular expression."""
    lacks: frozenset[str] = frozenset({"name"})
    """Guarantees that are not given there."""
    never: str = "Never"
    """A header that no request may have."""


USABLE: dict[str, Usable] = {
    "no checksum headers": Usable(
        manners.no_checksums,
        finding=("wrong checksum", r"SHA-256 is not supported \(InvalidArgument: .*; Content-MD5 is compared: refused"),
    ),
    "no checksums at all": Usable(
        manners.no_checksums_at_all,
        prepared=r"rights of readers not set: .*by hand.*lifecycle rules not set \(InvalidArgument: .*by hand",
        finding=("wrong checksum", r"SHA-256 is not supported \(.*\); Content-MD5 is not supported \(InvalidArg"),
        lacks=frozenset({"name", "damage"}),
    ),
    "no conditions, and a sole publisher": Usable(
        manners.no_conditions,
        SOLE,
        finding=("simultaneous writes, create", "not sent: PRESS_SOLE_PUBLISHER is set"),
        lacks=frozenset({"name", "together"}),
        never="If-",
    ),
    "no conditions for copies either": Usable(
        manners.no_conditions,
        SOLE,
        finding=("copy if unchanged", "copies; no condition is sent"),
        lacks=frozenset({"name", "together"}),
        never="X-Amz-Copy-Source-If",
    ),
    "no policies and no lifecycle rules": Usable(
        manners.no_configuration,
        prepared=r"no bucket policies \(NotImplemented: no such thing here\).*\n.*by hand.*let anyone get the objects",
        finding=("lifecycle rules", "this storage has none"),
        lacks=frozenset({"name", "clean"}),
    ),
    "Content-MD5 for configurations": Usable(manners.md5_for_configuration, prepared="removed after 400 days"),
    "no copies": Usable(
        manners.no_copies, finding=("copy if unchanged", r"does not copy \(NotImplemented: no copies\)")
    ),
    "copies that fail in the body of a 200": Usable(
        manners.copies_that_fail_late,
        finding=("copy if unchanged", r"does not copy \(InternalError: failed half way\)"),
    ),
    "busy at every fourth request": Usable(
        manners.busy(4)(), finding=("write if absent", "supported"), prepared="anyone can read its objects"
    ),
    "the bucket in the host": Usable(
        manners.bucket_in_the_host,
        BY_HOST,
        finding=("anonymous listing, public", "refused"),
        lacks=frozenset({"name", "share"}),  # links are not encrypted there
    ),
}


@contextmanager
def behind(
    server: Mapping[str, str], manner: faulty.Manner, settings: Mapping[str, str]
) -> Iterator[tuple[faulty.Proxy, dict[str, str]]]:
    """Run the manner in front of the server; yields the proxy, and the environment that selects it."""
    with faulty.proxy(server["AWS_ENDPOINT_URL_S3"], manner) as proxy:
        # Where the bucket is in the host, that host has no address: the manner is asked as an HTTP proxy.
        yield proxy, {**server, "AWS_ENDPOINT_URL_S3": proxy.endpoint, "HTTP_PROXY": proxy.endpoint, **settings}


def at(environ: Mapping[str, str]) -> Destination:
    return destination(environ, Path("/nowhere"))


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(s3, "_LONGEST_PAUSE", 0.02)


@pytest.fixture(scope="module")
def ready(second_server: dict[str, str]) -> dict[str, str]:
    """The real server with prepared buckets; the manners are in front of it."""
    environ = second_server | {"PRESS_BUCKET": "manners"}
    list(prepare(at(environ), environ))
    return environ


def put(key: str, body: bytes = b"words", **more: str | bool) -> Put:
    return Put(key=key, body=body, media_type="text/plain; charset=utf-8", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", USABLE)
def test_every_request_of_a_publisher_succeeds(ready: dict[str, str], kind: str) -> None:
    usable, key = USABLE[kind], f"{kind}/a.txt"
    sent: list[str] = []

    def watched(exchange: faulty.Exchange) -> bool:
        sent.extend(exchange.headers)
        return usable.manner(exchange)

    with behind(ready, watched, usable.settings) as (_, environ):
        store = open_store(at(environ), environ)
        store.check()
        etag = store.put(put(key, b"first", if_none_match=True, download="Ünlü a.txt", cache_control="max-age=60"))
        store.put(put(key, b"first", if_none_match=True))
        with pytest.raises(PreconditionFailed):
            store.put(put(key, b"second", if_none_match=True))
        with pytest.raises(PreconditionFailed):
            store.put(put(key, b"second", if_match='"other"'))
        with pytest.raises(PreconditionFailed):
            store.put(put(f"{key}.missing", b"second", if_match='"other"'))
        etag = store.put(put(key, b"second", if_match=etag, download="Ünlü a.txt", cache_control="max-age=60"))
        store.copy_all([CopyRequest(key=f"{key}.copied", source=key, bucket="public", if_match=etag)])
        with pytest.raises(StorageError, match="cannot copy"):
            store.copy_all([CopyRequest(key=f"{key}.wrong", source=key, bucket="public", if_match='"other"')])
        head, original = store.head(f"{key}.copied"), store.head(key)
        assert head
        assert original
        assert (head.sha256, head.cache_control, head.content_type, head.content_disposition) == (
            (original.sha256, original.cache_control, original.content_type, original.content_disposition)
        )
        assert sorted(store.list(f"{kind}/")) == [key, f"{key}.copied"]
        answer = AnonymousClient(at(environ).address, environ).get(key)
        assert (answer.status, answer.body) == (200, b"second")
        link = store.presign(key, "public", 60).address
        assert AnonymousClient(at(environ).address, environ).open(link).body == b"second"
        for name in (key, f"{key}.copied"):
            store.delete(name)
        assert store.get(key) is None
    assert not [name for name in sent if name.startswith(usable.never)]


@pytest.mark.parametrize("kind", USABLE)
def test_make_storage_says_what_it_could_not_do(ready: dict[str, str], kind: str) -> None:
    usable = USABLE[kind]
    with behind(ready, usable.manner, usable.settings) as (_, environ):
        lines = list(prepare(at(environ), environ))
    assert lines[-1].startswith("tested without credentials: anyone can read objects at")
    assert re.search(usable.prepared, "\n".join(lines), re.DOTALL), lines


@pytest.mark.parametrize("kind", USABLE)
def test_doctor_says_what_is_promised_there(ready: dict[str, str], kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = (probes.clock, probes.links, probes.simultaneous_writes)
    chosen = [probe for probe in probes.PROBES if probe not in slow or kind == "no conditions, and a sole publisher"]
    monkeypatch.setattr(probes, "PROBES", chosen)
    usable = USABLE[kind]
    with behind(ready, usable.manner, usable.settings) as (_, environ):
        found = {each.what: each for each in doctor.examine(at(environ), environ, lambda done, total: None).all}
        quick = doctor.quick_check(at(environ), environ)
    what, words = usable.finding
    assert not what or re.search(words, found[what].result), found[what]
    # The operator's keys create a mistyped bucket, unless the storage does not let them.
    against = {guarantee for each in found.values() for guarantee in each.against} | {"name"}
    assert against == usable.lacks
    assert {guarantee for each in quick.all for guarantee in each.against} == usable.lacks & {"together", "damage"}


# ── Storages that cannot be used as they are ────────────────────────────────────────────────────────────────────────


class Refused(Struct, frozen=True):
    """A storage or a setting that cannot be used as it is."""

    manner: faulty.Manner
    words: str
    """Of the message, a regular expression."""
    hint: str


NOT_S3 = "does not answer as an S3 storage: "
ADDRESS = "check AWS_ENDPOINT_URL_S3: it must be the address of the S3 service"
REFUSED: dict[str, Refused] = {
    "another region": Refused(
        manners.elsewhere,
        r"the bucket manners is in another region \(AuthorizationHeaderMalformed: not here\)$",
        "set AWS_REGION=north-7",
    ),
    "the bucket must be in the host": Refused(
        manners.bucket_in_the_host,
        r"wants the bucket in the host's name \(SecondLevelDomainForbidden: put the bucket into the host name\)$",
        "set PRESS_ADDRESSING=virtual",
    ),
    "always busy": Refused(
        lambda exchange: manners.error(exchange, 503, "SlowDown", "no\x9b31m\n time\u202e"),
        r"the storage is overloaded \(SlowDown: no 31m time\)$",
        "try again later",
    ),
    "no rights": Refused(
        lambda exchange: manners.error(exchange, 403, "AccessDenied", "x" * 1000),
        r"the storage refuses it \(AccessDenied: x{199}…\)$",
        "docs/storage.md",
    ),
    "a bucket of somebody else": Refused(
        manners.somebody_elses,
        r"locked the bucket manners \(AllAccessDisabled: not yours\)$",
        "ask its operator",
    ),
    "an error that nobody knows": Refused(
        lambda exchange: manners.error(exchange, 400, "TeaTime", "Credential=AKIA123/x, later"),
        r"the storage refuses it \(TeaTime: Credential=…, later\)$",
        "make doctor",
    ),
    "too many requests": Refused(
        lambda exchange: manners.error(exchange, 429, "TooMany", "wait"),
        r"overloaded \((TooMany: wait|429: .*)\)$",
        "later",
    ),
    "an error without a body": Refused(
        lambda exchange: manners.answer(exchange, 400, "application/xml", ""), r"\(400: Bad Request\)$", "make doctor"
    ),
    "a login page": Refused(
        manners.a_login_page, f"{NOT_S3}it sent a web page, “Sign in to the guest network”$", "login page of a network"
    ),
    "a login page elsewhere": Refused(
        manners.a_login_page_elsewhere, rf"{NOT_S3}.*\(302\); it leads to https://portal.example/login", "https://"
    ),
    "a web page that is XML": Refused(manners.a_page_that_is_xml, f"{NOT_S3}it sent a web page, “Welcome”$", ADDRESS),
    "JSON": Refused(manners.a_json_service, f'{NOT_S3}it sent JSON, {{"status": "ok"', ADDRESS),
    "an error in JSON": Refused(manners.a_json_error, rf"{NOT_S3}it sent JSON, .*no route.* \(404\)$", ADDRESS),
    "a proxy without its storage": Refused(
        manners.a_proxy_without_its_storage,
        rf"{NOT_S3}it sent a web page, “502 Bad Gateway” \(502\)$",
        "try again later",
    ),
    "text": Refused(manners.a_missing_page, rf"{NOT_S3}it sent text, “404 page not found” \(404\)$", ADDRESS),
    "nothing": Refused(manners.nothing_at_all, NOT_S3, ADDRESS),
    "a port for https": Refused(manners.a_port_for_https, rf"{NOT_S3}.*HTTPS server.*\(400\)$", "write https://"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_used_is_explained_with_one_thing_to_do(ready: dict[str, str], kind: str) -> None:
    refused = REFUSED[kind]
    with behind(ready, refused.manner, {}) as (_, environ):
        place = at(environ)
        store = open_store(place, environ)
        for command in (
            store.check,
            lambda: store.put(put("a", if_none_match=True)),
            lambda: store.get("manifest.json"),
            lambda: list(store.list()),
            lambda: list(prepare(place, environ)),
        ):
            with pytest.raises(StorageError) as caught:
                command()
            assert re.search(refused.words, str(caught.value)) or kind == "nothing", str(caught.value)
            assert refused.hint in caught.value.hint, caught.value.hint
            assert len(str(caught.value)) < 450
            assert str(caught.value).isprintable()


def test_readers_may_have_another_address_than_the_publisher(
    ready: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some storages answer nobody without keys at the address of their S3 service."""
    monkeypatch.setattr(setup, "POLICY_SECONDS", 0.0)

    def signed_only(exchange: faulty.Exchange) -> bool:
        return not manners.is_signed(exchange) and manners.error(exchange, 400, "InvalidArgument", "Authorization")

    with behind(ready, signed_only, {}) as (_, environ):
        with pytest.raises(StorageError, match=r"objects cannot be read without credentials \(400\)") as caught:
            list(prepare(at(environ), environ))
        assert "PRESS_PUBLIC_URL" in caught.value.hint
        environ |= {"PRESS_PUBLIC_URL": at(ready).address}
        assert at(environ).base_url == at(ready).address
        assert at(ready).address in list(prepare(at(environ), environ))[-1]


def test_without_conditions_a_sole_publisher_is_the_advice(ready: dict[str, str]) -> None:
    with behind(ready, manners.no_conditions, {}) as (_, environ):
        store, place = open_store(at(environ), environ), at(environ)
        with pytest.raises(StorageError, match=r"does not support this request \(NotImplemented: the header") as caught:
            store.put(put("a", if_none_match=True))
        assert "PRESS_SOLE_PUBLISHER=1" in caught.value.hint
        found = {each.what: each for each in doctor.examine(place, environ, lambda done, total: None).all}
    for what in (
        "write if absent",
        "write if unchanged",
        "simultaneous writes, create",
        "simultaneous writes, replace",
    ):
        assert found[what].against == ("together",), what
    assert "none succeeded in 16 rounds" in found["simultaneous writes, create"].result


def test_a_bucket_in_the_host_is_not_asked_of_a_storage_that_wants_it_in_the_path(ready: dict[str, str]) -> None:
    """Such a storage lists all its buckets instead."""

    def by_path(exchange: faulty.Exchange) -> bool:
        return manners.answer(exchange, 200, "application/xml", "<ListAllMyBucketsResult></ListAllMyBucketsResult>")

    with (
        behind(ready, by_path, BY_HOST) as (_, environ),
        pytest.raises(StorageError, match="lists all buckets instead of this one") as caught,
    ):
        open_store(at(environ), environ).check()
    assert "PRESS_ADDRESSING=path" in caught.value.hint


def test_a_put_without_etag_is_not_taken_for_done(ready: dict[str, str]) -> None:
    with (
        behind(ready, lambda exchange: exchange.method == "PUT" and manners.nothing_at_all(exchange), {}) as (
            _,
            environ,
        ),
        pytest.raises(StorageError, match=r"cannot write a: .* it sent no ETag"),
    ):
        open_store(at(environ), environ).put(put("a"))


def test_the_refusal_of_damaged_data_is_asked_for_once(ready: dict[str, str]) -> None:
    sent: list[str] = []

    def watched(exchange: faulty.Exchange) -> bool:
        sent.append(exchange.headers.get("x-amz-checksum-sha256", ""))
        return False

    with behind(ready, watched, {}) as (_, environ):
        found = doctor.quick_check(at(environ), environ)
    assert not found.against("damage")
    assert len([checksum for checksum in sent if checksum]) == 2, "the right one and the wrong one"


def test_listings_of_the_first_version_are_read_to_their_end(ready: dict[str, str]) -> None:
    def old(exchange: faulty.Exchange) -> bool:
        keys, more = (["c"], "false") if "marker=b" in exchange.path else (["a", "b"], "true")
        rows = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
        body = f"<ListBucketResult><IsTruncated>{more}</IsTruncated>{rows}</ListBucketResult>"
        return manners.answer(exchange, 200, "application/xml", body)

    with behind(ready, old, {}) as (_, environ):
        assert list(open_store(at(environ), environ).list()) == ["a", "b", "c"]


def test_a_storage_that_does_not_state_its_time_keeps_no_embargo(ready: dict[str, str]) -> None:
    def timeless(exchange: faulty.Exchange) -> bool:
        status, headers, body = exchange.forward()
        exchange.answer(status, [(name, value) for name, value in headers if name.lower() != "date"], body)
        return True

    with behind(ready, timeless, {}) as (_, environ), pytest.raises(StorageError, match="does not state its time"):
        open_store(at(environ), environ).check()


def test_older_versions_of_deleted_files_are_told(ready: dict[str, str], versioned: dict[str, str]) -> None:
    for environ, results in ((ready, "none are kept"), (versioned, "kept")):
        from pipeline.storage.doctor.probe_context import ProbeContext

        context = ProbeContext(at(environ), environ)
        found: list[Finding] = list(probes.versions(context))
        assert [each.what for each in found] == ["older versions, public", "older versions, private"]
        assert all(each.result.startswith(results) for each in found), found
        assert bool(found[0].against) == (environ is versioned)
        context.remove_probes()


@pytest.fixture
def versioned(second_server: dict[str, str]) -> dict[str, str]:
    """The real server with buckets that keep older versions."""
    from pipeline.storage.s3.client import create_client

    environ = second_server | {"PRESS_BUCKET": "versioned"}
    place = at(environ)
    list(prepare(place, environ))
    for name in (place.bucket, place.private_bucket):
        create_client(place, environ).put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return environ


# ── Connections ─────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def web_server(folder: Path, name: str = "", days: int = 2) -> Iterator[int]:
    """Run a web server that is no storage, on loopback; with a ``name``, it has a certificate for it."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_error(404)

        do_GET = do_HEAD  # noqa: N815 -- the name that http.server requires

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- http.server's name
            pass

    with ExitStack() as stack:
        server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # broken connections are the point
        if name:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate(folder, name, days))
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def certificate(folder: Path, name: str, days: int) -> Path:
    """Write a self-signed certificate with its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return folder / "server.pem"


TLS: dict[str, tuple[str, str, int, bool, str, str]] = {
    "not trusted": ("https", "localhost", 2, False, "is not trusted (self-signed certificate)", "AWS_CA_BUNDLE"),
    "another name": ("https", "press.test", 2, True, "is for another name", "check AWS_ENDPOINT_URL_S3"),
    "expired": ("https", "localhost", -2, True, "is not valid today", "renew"),
    "https to a port for http": ("https", "", 2, False, "does not answer with https", "write http://"),
    "http to a port for https": ("http", "localhost", 2, False, "broke", "write https://"),
    "https to a web server": ("https", "localhost", 2, True, "does not answer as an S3 storage", "AWS_ENDPOINT_URL_S3"),
}


def knows_localhost() -> bool:
    """Whether this machine has the name: a bare one may have no /etc/hosts."""
    try:
        return bool(socket.gethostbyname("localhost"))
    except OSError:
        return False


@pytest.mark.skipif(not knows_localhost(), reason="the name localhost is not known here")
@pytest.mark.parametrize("kind", TLS)
def test_connections_that_fail_are_explained(second_server: dict[str, str], tmp_path: Path, kind: str) -> None:
    scheme, name, days, is_trusted, words, hint = TLS[kind]
    with web_server(tmp_path, name, days) as port:
        environ = second_server | {"AWS_ENDPOINT_URL_S3": f"{scheme}://localhost:{port}"}
        environ |= {"AWS_CA_BUNDLE": str(tmp_path / "server.pem")} if is_trusted else {}
        with pytest.raises(StorageError) as caught:
            open_store(at(environ), environ).check()
    assert words in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("settings", "words", "hint"),
    [
        ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}, "http://127.0.0.1:9: connection refused", "host and port"),
        ({"AWS_ENDPOINT_URL_S3": "http://no-host.invalid"}, "the name no-host.invalid is not known (DNS)", "spelling"),
        (
            {"AWS_ENDPOINT_URL_S3": "http://no-host.invalid", "PRESS_ADDRESSING": "virtual"},
            "the name newsroom.no-host.invalid is not known (DNS)",
            "PRESS_ADDRESSING=path",
        ),
        (
            {"AWS_ENDPOINT_URL_S3": "http://s3.example", "HTTP_PROXY": "http://127.0.0.1:9"},
            "the proxy http://127.0.0.1:9 does not answer",
            "HTTP_PROXY",
        ),
    ],
)
def test_no_connection_is_explained(
    second_server: dict[str, str], settings: dict[str, str], words: str, hint: str
) -> None:
    environ = second_server | settings
    with pytest.raises(StorageError) as caught:
        open_store(at(environ), environ).check()
    assert words in str(caught.value)
    assert hint in caught.value.hint


def test_a_profile_that_names_another_addressing_is_refused(second_server: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[default]\ns3 =\n    addressing_style = virtual\n")
    environ = second_server | {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_ENDPOINT_URL_S3": "http://s3.test"}
    with pytest.raises(SettingError, match="the profile names the addressing style virtual") as caught:
        open_store(at(environ), environ)
    assert caught.value.hint == "set PRESS_ADDRESSING=virtual too"
    open_store(at(environ | {"PRESS_ADDRESSING": "virtual"}), environ | {"PRESS_ADDRESSING": "virtual"})


# ── The commands ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    found = Office(tmp_path_factory.mktemp("manners") / "office")
    found.write("one", title="The first one")
    return found


PUBLISHED = ("no conditions, and a sole publisher", "the bucket in the host")


@pytest.mark.parametrize("kind", PUBLISHED)
def test_make_publish_works_there(office: Office, ready: dict[str, str], kind: str) -> None:
    usable, bucket = USABLE[kind], f"manners-{PUBLISHED.index(kind)}"
    direct = ready | {"PRESS_BUCKET": bucket}
    list(prepare(at(direct), direct))
    with behind(direct, usable.manner, usable.settings) as (_, environ):
        result = office.make("publish", **environ)
        assert result.status == 0, result.text
        assert f"{at(environ).address}index.html" in result.out
    assert get(f"{at(direct).address}releases/one.html")[0] == 200


@pytest.mark.parametrize("command", ["storage", "doctor", "publish"])
def test_a_web_page_is_said_to_be_no_storage(office: Office, ready: dict[str, str], command: str) -> None:
    with behind(ready, manners.a_login_page, {}) as (_, environ):
        result = office.make(command, **environ)
    assert "dateline: exit 3 (storage)" in result.err
    assert "does not answer as an S3 storage: it sent a web page, “Sign in to the guest network”" in result.err
    assert "error in Dateline" not in result.text
