"""The object store over S3. ``pipeline.storage`` opens it and prepares its buckets; only ``client`` imports boto3."""
