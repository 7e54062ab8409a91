"""Files: transfers and YAML."""
