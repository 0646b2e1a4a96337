"""What gateways are made of on the other side: processes that speak a protocol of others and ask the daemon's API.

In: requests that the daemon passes on, each with the one in whose name it is. Out: answers. Nothing here is imported by
the daemon, whose half is `caxton.api.gateways`.
"""
