"""One call to the API: the request, the attempts, the response, the errors.

Reading order: `operations` (what is called), `request` (how it is written), `exchange` (the attempts), `responses`
(reading and decoding), `faults` (errors), `calls` (the methods of `client.uploads` but `upload_file`), `polling` (when
an upload is done), `network` (the HTTP clients). Must not know `transfer`: storage has connections of its own.
"""
