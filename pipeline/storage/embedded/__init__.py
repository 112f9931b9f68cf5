"""The embedded store: a real S3 server (SeaweedFS) on loopback."""
