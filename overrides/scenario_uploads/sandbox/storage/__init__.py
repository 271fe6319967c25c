"""The S3 side: presigned URLs, parts, and the files that they become.

Read `bucket` (an S3 as the service sees it), `embedded` (the one that comes along), `other` (any else), `gate` (what S3
refuses and the embedded one lets pass), `quota` (how much it takes), `windows` (what that one lacks there). It must not
know the API.
"""
