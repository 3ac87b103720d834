//! Authorization codes and tokens. Codes and refresh tokens work once.

use crate::ids;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What an authorization page granted.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub value: String,
    pub user: String,
    pub scopes: Vec<String>,
    pub redirect_uri: String,
    /// The S256 challenge, if the client sent one.
    pub challenge: Option<String>,
    pub expires_at: Timestamp,
    pub used: bool,
}

/// An access token and the refresh token that came with it.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub access: String,
    /// A personal access token has none.
    pub refresh: Option<String>,
    pub user: String,
    pub scopes: Vec<String>,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub revoked: bool,
    pub refresh_used: bool,
}

/// The state of an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Good,
    Expired,
    Revoked,
}

impl Token {
    pub(crate) fn access_state(&self, now: Timestamp) -> Access {
        if self.revoked {
            Access::Revoked
        } else if self.expires_at <= now {
            Access::Expired
        } else {
            Access::Good
        }
    }

    pub(crate) fn is_personal(&self) -> bool {
        self.refresh.is_none()
    }

    /// `true` if the scopes hold this one; `:write` includes `:read`, and `default` all of them.
    pub(crate) fn has_scope(&self, needed: &str) -> bool {
        let write = needed
            .strip_suffix(":read")
            .map(|topic| format!("{topic}:write"));
        self.scopes.iter().any(|scope| {
            scope == crate::options::DEFAULT_SCOPE
                || scope == needed
                || Some(scope) == write.as_ref()
        })
    }

    fn json(&self) -> Value {
        json!({
            "accessToken": self.access,
            "refreshToken": self.refresh,
            "userUri": ids::user(&self.user),
            "scopes": self.scopes,
            "issuedAt": self.issued_at,
            "expiresAt": self.expires_at,
            "revoked": self.revoked,
            "refreshUsed": self.refresh_used,
        })
    }
}

/// Every code and token.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    pub codes: Vec<Code>,
    pub tokens: Vec<Token>,
}

impl Grants {
    /// Trades a code for tokens. `None` is `invalid_grant`, whatever the reason.
    pub(crate) fn exchange(
        &mut self,
        code: &str,
        redirect_uri: &str,
        verifier: Option<&str>,
        (now, lifetime): (Timestamp, SignedDuration),
    ) -> Option<Token> {
        let code = self.codes.iter_mut().find(|known| known.value == code)?;
        let proven = match (&code.challenge, verifier) {
            (None, _) => true,
            (Some(challenge), Some(verifier)) => *challenge == s256(verifier),
            (Some(_), None) => false,
        };
        let good =
            proven && !code.used && code.redirect_uri == redirect_uri && code.expires_at > now;
        if !good {
            return None;
        }
        code.used = true;
        let (user, scopes) = (code.user.clone(), code.scopes.clone());
        Some(self.issue(user, scopes, (now, lifetime)))
    }

    /// Trades a refresh token for new tokens: it is used up at once.
    pub(crate) fn refresh(
        &mut self,
        refresh: &str,
        (now, lifetime): (Timestamp, SignedDuration),
    ) -> Option<Token> {
        let token = self.by_refresh(refresh)?;
        if token.refresh_used || token.revoked {
            return None;
        }
        token.refresh_used = true;
        let (user, scopes) = (token.user.clone(), token.scopes.clone());
        Some(self.issue(user, scopes, (now, lifetime)))
    }

    fn by_refresh(&mut self, refresh: &str) -> Option<&mut Token> {
        self.tokens
            .iter_mut()
            .find(|token| token.refresh.as_deref() == Some(refresh))
    }

    fn issue(
        &mut self,
        user: String,
        scopes: Vec<String>,
        (now, lifetime): (Timestamp, SignedDuration),
    ) -> Token {
        let token = Token {
            // As long as Calendly says its tokens can be.
            access: format!(
                "eyJraWQiOiJzYW5kYm94In0.{}.{}",
                ids::secret(50),
                ids::secret(4)
            ),
            refresh: Some(ids::secret(3)),
            user,
            scopes,
            issued_at: now,
            expires_at: now.saturating_add(lifetime).unwrap_or(now),
            revoked: false,
            refresh_used: false,
        };
        self.tokens.push(token.clone());
        token
    }

    pub(crate) fn by_access(&self, access: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| token.access == access)
    }

    /// The token that an access or refresh token belongs to.
    pub(crate) fn by_either(&mut self, token: &str) -> Option<&mut Token> {
        self.tokens
            .iter_mut()
            .find(|known| known.access == token || known.refresh.as_deref() == Some(token))
    }

    /// Lets the OAuth access tokens, and if asked the codes, expire now; `refresh` spends the
    /// refresh tokens too.
    pub(crate) fn expire(&mut self, now: Timestamp, access: bool, codes: bool, refresh: bool) {
        for token in self.tokens.iter_mut().filter(|token| !token.is_personal()) {
            if access {
                token.expires_at = token.expires_at.min(now);
            }
            token.refresh_used |= refresh;
        }
        for code in self.codes.iter_mut().filter(|_| codes) {
            code.expires_at = code.expires_at.min(now);
        }
    }

    pub(crate) fn json(&self) -> Value {
        self.tokens.iter().map(Token::json).collect()
    }
}

fn s256(verifier: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_as_in_rfc_7636() {
        assert_eq!(
            s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
