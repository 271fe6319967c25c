"""How what goes over the wire differs between two contracts, fact by fact.

walk         what one walk through two contracts finds, and which place belongs to which
operations   operations, webhooks and callbacks, their responses and servers; it leads to the others
values       parameters, headers, bodies and media types; `security` the ways to authenticate
keywords     the keywords of schemas, and what their values say
views        what a schema accepts, with all that holds at once put together; `reading` finds what it is made of,
             and which alternatives are the same
schemas      how two such views differ
remainder    what Redocly saw and no fact covers
places       what places in a contract are called
"""
