"""Files: transfers, checksums and YAML."""
