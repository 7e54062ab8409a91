"""Hosts that exist already, named by their owner."""

from .provider import AdhocProvider as AdhocProvider
