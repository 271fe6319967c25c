"""How what goes over the wire differs between two contracts, fact by fact.

walk         what one walk through two contracts finds, and which place belongs to which
operations   operations, webhooks and callbacks, their responses and servers; it leads to the others
values       parameters, headers, bodies and media types; `security` the ways to authenticate
views        what a schema accepts; `reading` reads it so, and `merging` puts together what holds at once
schemas      how two such views differ; `alternatives` those of a oneOf or anyOf
remainder    what Redocly saw and no fact covers
places       what places in a contract are called
"""
