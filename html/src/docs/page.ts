/*
 * The documentation page at /docs: openapi.yaml as Swagger UI shows it, with
 * requests that can be tried on this very server.
 */

import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";
import "./page.css";

SwaggerUI({
  url: "openapi.yaml",
  domNode: document.getElementById("contract"),
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null,
});
