"""Amazon EC2: options, launches, instances, security group rules."""
