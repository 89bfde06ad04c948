"""A small OpenID Connect provider in a thread, that lets in whoever asks and can be told to lie."""

from __future__ import annotations

import base64
import hashlib
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import uvicorn
from fastapi import FastAPI, Form, Header, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from hemocast.serve.hospital.people.settings import SignInConfig
from hemocast.serve.reading.address import listen


@dataclass
class Provided:
    """What the provider does; a test changes it.

    `lies` changes the claims of a token, `key`, `algorithm` and `header` how it is signed, and
    `instead` is a token in place of it.
    """

    issuer: str
    client_secret: str = ""
    key: Any = None
    algorithm: str = "ES256"
    header: dict[str, str] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    lies: dict[str, Any] = field(default_factory=dict)
    instead: Callable[[dict[str, Any]], str] | None = None
    description: dict[str, Any] = field(default_factory=dict)
    published: list[Any] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        at = self.issuer
        return {
            "issuer": at,
            "authorization_endpoint": f"{at}/authorize?tenant=1",
            "token_endpoint": f"{at}/token",
            "jwks_uri": f"{at}/keys",
            "end_session_endpoint": f"{at}/logout",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        } | self.description

    def settings(self, **more: Any) -> SignInConfig:
        usual = {"issuer": self.issuer, "reader": ["stroke"], "admin": ["it"], "timeout_s": 5}
        return SignInConfig.model_validate(usual | more)

    def token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": asked["client_id"], "sub": "7", "nonce": asked["nonce"],
            "iat": now, "exp": now + 300, "preferred_username": "Ann", "groups": ["stroke"],
        }  # fmt: skip
        claims |= self.claims | self.lies
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.instead is not None:
            return self.instead(claims)
        header = {"alg": self.algorithm, "kid": self.key.kid} | self.header
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])

    def visit(self, address: str) -> dict[str, str]:
        """Do as a browser: go there, and give what the provider sends back along with it."""
        answer = httpx.get(address)
        assert answer.status_code == 303, answer.text
        return query_of(answer.headers["location"])


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@contextmanager
def providing() -> Iterator[Provided]:
    """Run a provider on a free port of loopback."""
    with listen("127.0.0.1", _free_port()) as listening:
        provided = Provided(f"http://127.0.0.1:{listening.getsockname()[1]}")
        provided.key = ECKey.generate_key("P-256", {"kid": "one"})
        provided.published = [provided.key]
        config = uvicorn.Config(_app(provided), log_level="critical", lifespan="off")
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield provided
        finally:
            server.should_exit = True
            thread.join(10)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _app(provided: Provided) -> FastAPI:
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    def describe() -> Response:
        provided.asked.append("description")
        return JSONResponse(provided.describe())

    @app.get("/keys")
    def keys() -> Response:
        provided.asked.append("keys")
        return JSONResponse(KeySet(provided.published).as_dict(private=False))

    @app.get("/authorize")
    def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        code = secrets.token_urlsafe(16)
        provided.codes[code] = asked
        back = {"code": code, "state": asked["state"]}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 303)

    @app.post("/token")
    def token(
        code: str = Form(),
        code_verifier: str = Form(),
        redirect_uri: str = Form(),
        grant_type: str = Form(),
        client_id: str = Form(),
        client_secret: str = Form(""),
        authorization: str = Header(""),
    ) -> Response:
        provided.asked.append("token")
        given = client_secret
        if authorization.startswith("Basic "):
            given = base64.b64decode(authorization[6:]).decode().partition(":")[2]
            given = httpx.URL(f"http://x/?x={given}").params["x"]
        if given != provided.client_secret:
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = provided.codes.pop(code, None)  # each is good once
        digest = hashlib.sha256(code_verifier.encode()).digest()
        proved = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or asked["code_challenge"] != proved
            or asked["code_challenge_method"] != "S256"
            or (asked["redirect_uri"], asked["client_id"]) != (redirect_uri, client_id)
            or grant_type != "authorization_code"
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"token_type": "Bearer", "id_token": provided.token(asked)})

    return app
