"""A laboratory in which everything this project does on EC2 is tried without an account.

`python -m tests.ec2lab --help`.
"""
