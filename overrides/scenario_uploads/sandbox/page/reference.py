"""The contract as the page's reference shows it. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from markupsafe import Markup, escape

_METHODS: Final = ("get", "put", "post", "delete", "patch")
_LIMITS: Final = {
    "format": "format {}",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "maxItems": "at most {} items",
    "pattern": "matches {}",
}


class Reference:
    """An OpenAPI document with its references followed.

    Args:
        document: The decoded document.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.info = document["info"]
        self.schemas: Mapping[str, Any] = document["components"]["schemas"]
        self.security: Mapping[str, Any] = document["components"].get("securitySchemes", {})

    def resolve(self, value: Any) -> Any:
        """Return what a reference leads to, and anything else as it is."""
        while isinstance(value, Mapping) and "$ref" in value:
            found: Any = self.document
            for step in value["$ref"].removeprefix("#/").split("/"):
                found = found[step.replace("~1", "/").replace("~0", "~")]
            value = found
        return value

    def list_operations(self) -> Iterator[dict[str, Any]]:
        """Yield each operation with its parameters, those of its path included."""
        for path, item in self.document["paths"].items():
            for method in _METHODS:
                if method in item:
                    both = [*item.get("parameters", ()), *item[method].get("parameters", ())]
                    yield {
                        **item[method],
                        "path": path,
                        "method": method.upper(),
                        "parameters": [self.resolve(each) for each in both],
                        "responses": {str(k): self.resolve(each) for k, each in item[method]["responses"].items()},
                    }

    def list_examples(self, media: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the examples of a body: what each shows, and its JSON."""
        named = {name: self.resolve(each) for name, each in media.get("examples", {}).items()}
        if "example" in media:
            named["example"] = {"summary": "", "value": media["example"]}
        return [
            (str(each.get("summary", name)), json.dumps(each.get("value"), indent=2, ensure_ascii=False))
            for name, each in named.items()
        ]

    def describe_type(self, schema: Any) -> Markup:
        """Return the type of a value, with a link to each schema that it names."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return Markup('<a href="#schema-{0}">{0}</a>').format(name)
        for word in ("oneOf", "anyOf", "allOf"):
            if word in schema:
                return Markup(" | ").join(self.describe_type(each) for each in schema[word])
        kinds = schema.get("type", "any")
        text = Markup(" | ").join(kinds if isinstance(kinds, list) else [kinds])
        if "items" in schema:
            text += Markup(" of {}").format(self.describe_type(schema["items"]))
        return text

    def list_limits(self, schema: Mapping[str, Any]) -> list[str]:
        """Return what else a value must keep."""
        return [text.format(schema[name]) for name, text in _LIMITS.items() if name in schema]


def render_prose(text: str) -> Markup:
    """Return the CommonMark that the contract uses as HTML: paragraphs, `##`, code, bold."""
    blocks: list[Markup] = []
    for block in re.split(r"\n\s*\n", (text or "").strip()):
        line = str(escape(" ".join(block.split())))
        line = re.sub(r"`([^`]+)`", r"<code>\1</code>", re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", line))
        tag = "h2" if line.startswith("## ") else "p"
        blocks.append(Markup(f"<{tag}>{line.removeprefix('## ')}</{tag}>"))  # noqa: S704 - escaped above
    return Markup("\n").join(blocks)
