"""The S3 store. The only folder that imports boto3."""
