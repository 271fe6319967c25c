"""As much of GitHub's API as writing a comment needs, on a real socket, with storage elsewhere."""

import io
import re
import zipfile
from types import TracebackType
from typing import Any, Self

from tests.support.server import Exchange, Request, Server, reply

REPOSITORY = "owner/repo"
TOKEN = "ghs_secret"
BOT = "github-actions[bot]"


def pack(**members: bytes | str) -> bytes:
    """Return an archive; `comment_json` is the member `comment.json`."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_json", ".json"), content)
    return data.getvalue()


def make_event(sha: str = "a" * 40, fork: str = "stranger/fork", branch: str = "edit/#1 &x=y", **run: Any) -> Any:
    """Return the event of a run of the other workflow, for a pull request from a fork."""
    return {
        "workflow_run": {
            "id": 77,
            "event": "pull_request",
            "conclusion": "success",
            "head_sha": sha,
            "head_branch": branch,
            "head_repository": {"full_name": fork},
            # From a fork there are none.
            "pull_requests": [],
            **run,
        },
        "repository": {"full_name": REPOSITORY, "default_branch": "main"},
    }


class FakeGitHub:
    """One repository with pull requests, comments and the artifacts of runs.

    Attributes:
        pulls: What a list of open pull requests holds.
        comments: By the number of the pull request, the oldest first.
        artifacts: What a list of artifacts holds.
        archives: By the id of the artifact; what a stranger packed.
        refusals: Statuses to answer with, by `METHOD path`.
    """

    def __init__(self) -> None:
        self.pulls: list[dict[str, Any]] = []
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.artifacts: list[dict[str, Any]] = []
        self.archives: dict[int, bytes] = {}
        self.refusals: dict[str, int] = {}
        self.next_id = 1
        self.page_size = 100
        self._api, self._storage = Server(self._answer), Server(self._answer_storage)

    def __enter__(self) -> Self:
        self._storage.__enter__()
        self._api.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._api.__exit__(kind, error, traceback)
        self._storage.__exit__(kind, error, traceback)

    @property
    def url(self) -> str:
        return self._api.origin

    @property
    def requests(self) -> list[Request]:
        return self._api.requests

    @property
    def downloads(self) -> list[Request]:
        return self._storage.requests

    @property
    def writes(self) -> list[str]:
        """What was asked for that changes something, as `METHOD path`."""
        return [f"{each.method} {each.path}" for each in self.requests if each.method != "GET"]

    def open_pull(
        self,
        number: int,
        sha: str = "a" * 40,
        fork: str | None = "stranger/fork",
        branch: str = "edit/#1 &x=y",
        base: str = "main",
    ) -> None:
        """Open a pull request."""
        self.comments[number] = []
        self.pulls.append(
            {
                "number": number,
                "head": {"sha": sha, "ref": branch, "repo": None if fork is None else {"full_name": fork}},
                "base": {"ref": base, "repo": {"full_name": REPOSITORY}},
            }
        )

    def say(self, number: int, body: str, author: str = BOT) -> int:
        """Write a comment and return its id."""
        self.next_id += 1
        self.comments[number].append({"id": self.next_id, "user": {"login": author}, "body": body})
        return self.next_id

    def leave(self, archive: bytes, name: str = "spec-diff", *, expired: bool = False) -> int:
        """Let the run leave an artifact and return its id."""
        self.next_id += 1
        self.archives[self.next_id] = archive
        self.artifacts.append({"id": self.next_id, "name": name, "expired": expired})
        return self.next_id

    def _answer(self, exchange: Exchange) -> None:
        exchange.read_body()
        request = exchange.request
        status, body, headers = self._route(request, dict(request.query))
        reply(status, body, headers)(exchange)

    def _answer_storage(self, exchange: Exchange) -> None:
        number = int(exchange.request.path.rpartition("/")[2])
        reply(200, self.archives[number])(exchange)

    def _route(self, request: Request, query: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        path = request.path.removeprefix(f"/repos/{REPOSITORY}/")
        call = f"{request.method} {path}"
        if request.header("authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials"}, {}
        if call in self.refusals:
            return self.refusals[call], {"message": "Resource not accessible by integration"}, {}
        if call == "GET pulls":
            return self._list([pull for pull in self.pulls if self._matches(pull, query)], query)
        if call == "GET actions/runs/77/artifacts":
            status, values, headers = self._list(self.artifacts, query)
            return status, {"total_count": len(self.artifacts), "artifacts": values}, headers
        if match := re.fullmatch(r"GET actions/artifacts/(\d+)/zip", call):
            return 302, b"", {"Location": f"{self._storage.origin}/signed/{match[1]}?sig=s"}
        if match := re.fullmatch(r"(GET|POST) issues/(\d+)/comments", call):
            comments = self.comments[int(match[2])]
            if match[1] == "GET":
                return self._list(comments, query)
            return 201, {"id": self.say(int(match[2]), request.json["body"])}, {}
        if match := re.fullmatch(r"(PATCH|DELETE) issues/comments/(\d+)", call):
            return self._change(match[1], int(match[2]), request)
        return 404, {"message": "Not Found"}, {}

    def _change(self, method: str, number: int, request: Request) -> tuple[int, Any, dict[str, str]]:
        for comments in self.comments.values():
            for comment in comments:
                if comment["id"] == number:
                    if method == "DELETE":
                        comments.remove(comment)
                        return 204, b"", {}
                    comment["body"] = request.json["body"]
                    return 200, comment, {}
        return 404, {"message": "Not Found"}, {}

    @staticmethod
    def _matches(pull: dict[str, Any], query: dict[str, str]) -> bool:
        owner = (pull["head"]["repo"] or {"full_name": "/"})["full_name"].partition("/")[0]
        head, base = f"{owner}:{pull['head']['ref']}", pull["base"]["ref"]
        return query["state"] == "open" and query.get("head", head) == head and query.get("base", base) == base

    def _list(self, values: list[Any], query: dict[str, str]) -> tuple[int, list[Any], dict[str, str]]:
        size = min(int(query.get("per_page", "30")), self.page_size)
        page = int(query.get("page", "1"))
        more = len(values) > page * size
        # Its address is for other clients to follow; a number of a page is safe from being led astray.
        headers = {"Link": f'<{self.url}/elsewhere?page={page + 1}>; rel="next"'} if more else {}
        return 200, values[(page - 1) * size : page * size], headers
