/*
 * Which screen belongs to the address.  Another screen begins at its top; on
 * the way back it is where it was left.
 */

import { lazy, Suspense } from "react";
import { Cameras } from "../cameras/Cameras";
import { ButtonLink } from "../design/Button";
import { Blank } from "../design/Notice";
import { HOME, href, type Route, useRoute } from "../router";
import { Title } from "./Title";
import { useScroll } from "./useScroll";

/* these bring the player along, which weighs more than the rest together */
const AddCamera = lazy(() => import("../add/AddCamera"));
const CameraScreen = lazy(() => import("../camera/CameraScreen"));
const Connect = lazy(() => import("../add/Connect"));
const Audit = lazy(() => import("../audit/Audit"));
const Groups = lazy(() => import("../groups/Groups"));
const Storage = lazy(() => import("../storage/Storage"));
const Tokens = lazy(() => import("../tokens/Tokens"));
const Users = lazy(() => import("../users/Users"));
const Wall = lazy(() => import("../wall/Wall"));

export function Screens() {
  const route = useRoute();

  useScroll(`${route.kind}/${"id" in route ? route.id : ""}`);

  return (
    <Suspense fallback={<div aria-busy="true" aria-label="Loading" />}>
      <Screen route={route} />
    </Suspense>
  );
}

function Screen({ route }: { route: Route }) {
  switch (route.kind) {
    case "cameras":
      return <Cameras q={route.q} status={route.status} tag={route.tag} />;
    case "camera":
      return <CameraScreen key={route.id} id={route.id} />;
    case "connect":
      return <Connect key={route.id} id={route.id} />;
    case "add":
      return <AddCamera />;
    case "storage":
      return <Storage />;
    case "audit":
      return <Audit />;
    case "users":
      return <Users q={route.q} />;
    case "groups":
      return <Groups q={route.q} />;
    case "tokens":
      return <Tokens />;
    case "wall":
      return <Wall key={route.id ?? ""} id={route.id} />;
    case "unknown":
      return <Unknown />;
  }
}

function Unknown() {
  return (
    <>
      <Title text="Not found" />
      <Blank
        icon="search"
        title="There is nothing here"
        actions={<ButtonLink href={href(HOME)}>All cameras</ButtonLink>}
      >
        <p>The link may be incomplete.</p>
      </Blank>
    </>
  );
}
