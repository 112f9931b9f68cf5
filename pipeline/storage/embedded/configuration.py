"""The embedded store's configuration files: which services run, and who has access.

Besides S3, SeaweedFS opens ports for its own servers (filer, master, volumes, administration). By default, anyone on
the machine can read and write everything there. This configuration requires signed tokens for HTTP on these ports and,
for gRPC, certificates of a CA that is created for this folder only. Services that are not needed are switched off.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from pipeline.storage.embedded.folder import BUCKET, HOST, PRIVATE_BUCKET, Keys, Ports, StoreFolder

_CERTIFICATES_END = datetime(2126, 1, 1, tzinfo=UTC)
_COMPONENTS = ("master", "volume", "filer", "s3", "client", "admin", "worker", "msg_broker", "msg_agent", "mq", "sftp")
_LOG_FILES = 12
_READ = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{BUCKET}/*"]}],
}


def environment(folder: StoreFolder) -> dict[str, str]:
    """Return the server's environment. It would take AWS keys from ours as its administrator's keys."""
    return {"HOME": str(folder.path), "TMPDIR": str(folder.path / "tmp"), "PATH": "/usr/bin:/bin", "LC_ALL": "C"}


def write(folder: StoreFolder) -> None:
    """Write all configuration files; certificates only if there are none yet."""
    ports, keys = folder.ports(), folder.keys()
    for name in ("data", "log", "tmp", "tls"):
        (folder.path / name).mkdir(mode=0o700, exist_ok=True)
    for old in sorted((folder.path / "log").glob("weed.*.*"), key=lambda path: path.stat().st_mtime)[:-_LOG_FILES]:
        old.unlink()
    if not (folder.path / "tls/node.key").exists():
        _write_certificates(folder)
    folder.write("s3.json", json.dumps(_identities(keys), indent=1).encode())
    folder.write("security.toml", _security(keys).encode())
    folder.write("mini.options", _options(ports, keys).encode())


def _write_certificates(folder: StoreFolder) -> None:
    import trustme

    authority = trustme.CA(organization_name="Dateline embedded store")
    leaf = authority.issue_cert(HOST, "localhost", not_after=_CERTIFICATES_END)
    folder.write("tls/ca.pem", authority.cert_pem.bytes())
    folder.write("tls/node.pem", b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    folder.write("tls/node.key", leaf.private_key_pem.bytes())


def _identities(keys: Keys) -> dict[str, object]:
    buckets = (BUCKET, PRIVATE_BUCKET)
    return {
        "identities": [
            {
                "name": "publisher",
                "credentials": [{"accessKey": keys.access_key, "secretKey": keys.secret_key}],
                "actions": [f"{action}:{bucket}" for action in ("Read", "Write", "List") for bucket in buckets],
            },
            # A policy, because the action Read would also list uploads in progress (?uploads).
            {"name": "anonymous", "policyNames": ["read"]},
        ],
        "policies": [{"name": "read", "content": json.dumps(_READ)}],
    }


def _security(keys: Keys) -> str:
    tokens = {
        "jwt.signing": keys.volume_write,
        "jwt.signing.read": keys.volume_read,
        "jwt.filer_signing": keys.filer_write,
        "jwt.filer_signing.read": keys.filer_read,
    }
    lines = ["[access]", "ui = false", "[filer.expose_directory_metadata]", "enabled = false"]
    for table, key in tokens.items():
        lines += [f"[{table}]", f'key = "{key}"', "expires_after_seconds = 60"]
    lines += ["[grpc]", 'ca = "tls/ca.pem"']
    for component in _COMPONENTS:
        lines += [f"[grpc.{component}]", 'cert = "tls/node.pem"', 'key = "tls/node.key"']
    return "\n".join(lines) + "\n"


def _options(ports: Ports, keys: Keys) -> str:
    """Return the options file. On the command line, every user of the machine could read the password.

    Paths are relative to the folder, because the path of a Unix socket may have only about 100 characters.
    """
    options = {
        "dir": "data",
        "ip": HOST,
        "ip.bind": HOST,
        "bucket": f"{BUCKET},{PRIVATE_BUCKET}",
        "master.port": ports.master,
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": 256,
        "volume.port": ports.volume,
        # By default, it allows as many volumes as fit on the disk; on a small disk one bucket would take them all.
        "volume.max": 1000,
        "volume.preStopSeconds": 0,
        "filer.port": ports.filer,
        "filer.localSocket": "filer.sock",
        "filer.exposeDirectoryData": "false",
        "filer.disableDirListing": "true",
        "s3.port": ports.s3,
        "s3.config": "s3.json",
        "s3.localSocket": "s3.sock",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.autoCreateBucket": "false",
        "s3.iam": "false",
        "s3.allowDeleteBucketNotEmpty": "false",
        "admin.port": ports.admin,
        "admin.ui": "false",
        "admin.password": keys.admin_password,
        "webdav": "false",
    }
    return "".join(f"{name}={value}\n" for name, value in options.items())
