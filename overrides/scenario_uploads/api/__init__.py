"""One call to the API: what is sent, what comes back, and whether it is sent again.

Reading order: `operations` (what is called), `request` (how it is written), `exchange` (the attempts), `responses`
(what came back), `faults` (what went wrong), `calls` (the methods of `client.uploads` but `upload_file`), `polling`
(when an upload is done), `network` (the HTTP clients). It must not know `transfer`: storage has connections of its
own.
"""
