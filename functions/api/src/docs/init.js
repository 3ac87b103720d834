"use strict";

// Addresses are relative to the page, so that it works behind a custom domain and under a path.
SwaggerUIBundle({
  dom_id: "#docs",
  url: "./openapi.json",
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  // A key is forgotten when the page is left.
  persistAuthorization: false,
  tryItOutEnabled: true,
  // Null keeps the document from being sent to Swagger's public validator.
  validatorUrl: null,
});
