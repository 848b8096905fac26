/* Tests for identity providers: what is said of errors, where buttons lead. */

import { describe, expect, it } from "vitest";
import {
  errorOf,
  errorWords,
  providerAddress,
} from "../src/login/providers";

describe("an error in the address", () => {
  it("is a code, and nothing else", () => {
    expect(errorOf("?error=OIDC_DENIED")).toBe("OIDC_DENIED");
    expect(errorOf("?a=b&error=NOT_FOUND")).toBe("NOT_FOUND");

    for (const search of ["", "?", "?error=", "?error=<b>", "?error=Say this"]) {
      expect(errorOf(search)).toBeUndefined();
    }
  });

  it("is said in words that people understand", () => {
    expect(errorWords("OIDC_NO_ACCOUNT")).toMatch(/no account for you/);
    expect(errorWords("SOMETHING_NEW")).toMatch(/\(SOMETHING_NEW\)/);
  });
});

describe("a button of a provider", () => {
  it("leads there, and back to where one is", () => {
    expect(providerAddress("house", "/#/cameras/1?q=a", true)).toBe(
      "./api/v1/auth/oidc/house?returnTo=%2F%23%2Fcameras%2F1%3Fq%3Da" +
        "&remember=true",
    );
  });
});
