/* What somebody has to know: a bell with a number, and the list behind it. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useMay, useServices } from "../app/services";
import { ago } from "../camera/facts";
import { Button } from "../design/Button";
import { Icon } from "../design/Icon";
import { Notice, refusalWords } from "../design/Notice";
import { Popover } from "../design/Popover";
import { useToast } from "../design/Toasts";
import { refusalOf } from "../outcome";
import { keys, useAlerts } from "../recordings/queries";
import { href } from "../router";
import type { Alert } from "../types";
import "./alerts.css";

const MANY = 9;

export function Bell() {
  const reads = useMay("cameras:read");
  const query = useAlerts(reads);
  const alerts = query.data ?? [];
  const worst = alerts.some(({ severity }) => severity === "critical");

  return !reads ? null : (
    <Popover
      label="Alerts"
      className="bell"
      align="end"
      buttonLabel={
        alerts.length === 0 ? "Alerts, none" : `Alerts, ${alerts.length} new`
      }
      button={
        <>
          <Icon name="bell" size={20} />
          {alerts.length > 0 && (
            <span className="bell-count" data-worst={worst}>
              {alerts.length > MANY ? `${MANY}+` : alerts.length}
            </span>
          )}
        </>
      }
    >
      {(close) => (
        <div className="alerts">
          <h2>Alerts</h2>
          {query.isError && query.data === undefined ? (
            <Notice tone="warn" title={refusalWords(refusalOf(query.error)).title} />
          ) : query.isPending ? (
            <p className="alerts-none">Looking them up…</p>
          ) : alerts.length === 0 ? (
            <p className="alerts-none">
              <Icon name="check" size={22} />
              All is well. What needs somebody appears here.
            </p>
          ) : (
            <List alerts={alerts} onLeave={close} />
          )}
        </div>
      )}
    </Popover>
  );
}

function List({ alerts, onLeave }: { alerts: Alert[]; onLeave: () => void }) {
  const { api } = useServices();
  const client = useQueryClient();
  const say = useToast();
  const manages = useMay("alerts:manage");
  const [busy, setBusy] = useState<string>();

  const acknowledge = async (id: string) => {
    setBusy(id);
    const outcome = await api.recordings.acknowledge(id);
    setBusy(undefined);

    if (outcome.kind === "ok") {
      client.setQueryData<Alert[]>(keys.alerts, (before) =>
        before?.filter((one) => one.id !== id),
      );
    } else {
      say(`That did not work. ${refusalWords(outcome).title}.`, "bad");
    }

    void client.invalidateQueries({ queryKey: keys.alerts });
  };

  return (
    <ul className="alerts-list">
      {alerts.map((one) => (
        <li key={one.id} className="alert" data-severity={one.severity}>
          <i aria-hidden="true" />
          <div>
            <strong>{one.title}</strong>
            {one.message !== one.title && <p>{one.message}</p>}
            <p className="alert-facts">
              {ago(one.lastSeenAt)}
              {one.count > 1 && `, ${one.count} times`}
              {one.resolvedAt !== null && ", over"}
              {one.cameraId !== null && (
                <>
                  {" · "}
                  <a
                    href={href({ kind: "camera", id: one.cameraId })}
                    onClick={onLeave}
                  >
                    Show the camera
                  </a>
                </>
              )}
            </p>
          </div>
          {manages && (
            <Button
              look="quiet"
              small
              icon="check"
              aria-label={`Acknowledge: ${one.title}`}
              title="Acknowledge"
              busy={busy === one.id}
              onClick={() => void acknowledge(one.id)}
            />
          )}
        </li>
      ))}
    </ul>
  );
}
