"""Machines on Amazon EC2, through boto3, the only door to it."""

from .provider import Ec2Provider as Ec2Provider
