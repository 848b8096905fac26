/*
 * Which screen belongs to the address.  On a change the focus goes to the
 * heading, so that a reader says where one has come to, and the page scrolls
 * to its top, or on the way back to where it was left.
 */

import { useEffect, useRef } from "react";
import { Cameras } from "../cameras/Cameras";
import { ButtonLink } from "../design/Button";
import { Blank } from "../design/Notice";
import { HOME, href, type Route, useRoute } from "../router";

export function Screens() {
  const route = useRoute();

  useArrival(route);

  switch (route.kind) {
    case "cameras":
      return <Cameras q={route.q} status={route.status} />;
    default:
      return <Unknown />;
  }
}

function Unknown() {
  return (
    <Blank
      icon="search"
      title="There is nothing here"
      actions={<ButtonLink href={href(HOME)}>All cameras</ButtonLink>}
    >
      <p>The link may be incomplete.</p>
    </Blank>
  );
}

const TITLES: Record<Route["kind"], string> = {
  cameras: "Cameras",
  camera: "Camera",
  connect: "Connect a camera",
  add: "Add a camera",
  unknown: "Not found",
};

function useArrival(route: Route): void {
  const place = `${route.kind}/${"id" in route ? route.id : ""}`;
  const first = useRef(true);

  useEffect(() => {
    document.title = TITLES[route.kind];

    if (first.current) {
      first.current = false;
      return;
    }

    document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
  }, [place, route.kind]);
}
