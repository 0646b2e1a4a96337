"""The gRPC interface, version 1: `caxton.proto` for clients in any language, `caxton_pb2` for those in Python."""
