// The cookie is set: leave the personal link, so that neither address bar nor history keeps it.
location.replace("/");
