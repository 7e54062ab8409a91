"""Amazon EC2: options, tags, launches, instances, security group rules."""
