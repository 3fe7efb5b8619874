"""Where a request ends: one of which a proxy in front may think otherwise is refused, and so is what follows it.

Else what one client sends could be taken for the beginning of another's request.
"""

import h11


class Framed(h11.Connection):
    """A connection on which no request gives its length in two ways, or in one that its version does not have."""

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """As h11 has it. Raises RemoteProtocolError for such a request (RFC 9112, section 6.3, which h11 lets pass)."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            names = [name for name, _ in event.headers]
            if b"transfer-encoding" in names and (b"content-length" in names or event.http_version < b"1.1"):
                raise h11.RemoteProtocolError("the request's length is given in two ways")
        return event
