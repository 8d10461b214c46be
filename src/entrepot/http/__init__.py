"""What protocols over HTTP share: a floor of parts, each of which any of them may use, in both directions.

Bodies and headers, the `context` of a call as headers, media types, failures in HTTP's own words
(`problems`), messages by POST (`posts`), streams (`sse`, `lines`) and forms. No sockets, and nothing that
one protocol alone has a word for.
"""
