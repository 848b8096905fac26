/*
 * Which screen belongs to the address.  On a change the focus goes to the
 * heading, so that a reader says where one has come to, and the page scrolls
 * to its top, or on the way back to where it was left.
 */

import { lazy, Suspense, useEffect, useRef } from "react";
import { Cameras } from "../cameras/Cameras";
import { ButtonLink } from "../design/Button";
import { Blank } from "../design/Notice";
import { HOME, href, type Route, useRoute } from "../router";
import { useScroll } from "./useScroll";

/* these bring the player along, which weighs more than the rest together */
const AddCamera = lazy(() => import("../add/AddCamera"));
const CameraScreen = lazy(() => import("../camera/CameraScreen"));
const Connect = lazy(() => import("../add/Connect"));

export function Screens() {
  const route = useRoute();

  useArrival(route);

  return (
    <Suspense fallback={<div aria-busy="true" aria-label="Loading" />}>
      <Screen route={route} />
    </Suspense>
  );
}

function Screen({ route }: { route: Route }) {
  switch (route.kind) {
    case "cameras":
      return <Cameras q={route.q} status={route.status} />;
    case "camera":
      return <CameraScreen key={route.id} id={route.id} />;
    case "connect":
      return <Connect key={route.id} id={route.id} />;
    case "add":
      return <AddCamera />;
    case "unknown":
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

  useScroll(place);

  useEffect(() => {
    document.title = TITLES[route.kind];

    if (first.current) {
      first.current = false;
      return;
    }

    document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
  }, [place, route.kind]);
}
