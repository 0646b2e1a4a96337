"""Caxton: a workbench and server for WebAssembly agents that speak FIPA-ACL."""

__version__ = "0.1.0"
