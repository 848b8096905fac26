/*
 * The day that is looked at: one before, one behind, or out of a month whose
 * days show how much of each was recorded.
 */

import { type KeyboardEvent, useRef, useState } from "react";
import { Button } from "../design/Button";
import { Icon } from "../design/Icon";
import { Popover } from "../design/Popover";
import type { DayCoverage } from "../types";
import { useCoverage } from "./queries";
import { dayOf, type Span } from "./view";
import { date } from "./words";

interface PickerProps {
  cameraId: string;
  day: Span;
  now: number;
  onDay: (at: number) => void;
}

const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

export function DayPicker({ cameraId, day, now, onDay }: PickerProps) {
  const isToday = day.from === dayOf(now).from;

  return (
    <div className="day-picker">
      <Button
        look="quiet"
        small
        icon="back"
        aria-label="The day before"
        onClick={() => onDay(dayOf(day.from, -1).from)}
      />
      <Popover
        label="Choose a day"
        className="button day-button"
        button={
          <>
            <Icon name="calendar" size={16} />
            {isToday ? "Today" : date(day.from)}
            <Icon name="down" size={14} />
          </>
        }
      >
        {(close) => (
          <Month
            cameraId={cameraId}
            day={day}
            now={now}
            onDay={(at) => {
              onDay(at);
              close();
            }}
          />
        )}
      </Popover>
      <Button
        look="quiet"
        small
        icon="forward"
        aria-label="The day after"
        disabled={isToday}
        onClick={() => onDay(dayOf(day.from, 1).from)}
      />
    </div>
  );
}

function Month({ cameraId, day, now, onDay }: PickerProps) {
  const [month, setMonth] = useState(() => monthOf(day.from));
  const coverage = useCoverage(cameraId, month);
  const root = useRef<HTMLDivElement>(null);
  const days = daysOf(month);

  const onKeyDown = (event: KeyboardEvent) => {
    const by = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -7,
      ArrowDown: 7,
    }[event.key];
    const all = [...(root.current?.querySelectorAll("button") ?? [])];
    const at = all.indexOf(document.activeElement as HTMLButtonElement);

    if (by !== undefined && at >= 0) {
      event.preventDefault();
      event.stopPropagation();
      all[Math.min(Math.max(at + by, 0), all.length - 1)]?.focus();
    }
  };

  return (
    <div className="month">
      <div className="month-head">
        <Button
          look="quiet"
          small
          icon="back"
          aria-label="The month before"
          onClick={() => setMonth(monthOf(month.from - 1))}
        />
        <strong aria-live="polite">
          {new Date(month.from).toLocaleDateString(undefined, {
            month: "long",
            year: "numeric",
          })}
        </strong>
        <Button
          look="quiet"
          small
          icon="forward"
          aria-label="The month after"
          disabled={month.to > now}
          onClick={() => setMonth(monthOf(month.to))}
        />
      </div>
      <div className="month-days" ref={root} onKeyDown={onKeyDown}>
        {WEEKDAYS.map((name) => (
          <span key={name} className="month-name" aria-hidden="true">
            {name.slice(0, 2)}
          </span>
        ))}
        {days.map((one, n) => (
          <Day
            key={one.from}
            day={one}
            column={n === 0 ? columnOf(one.from) : undefined}
            isShown={one.from === day.from}
            isFuture={one.from > now}
            found={coverage.data?.find(({ date: name }) => name === isoDay(one))}
            onDay={onDay}
          />
        ))}
      </div>
      <p className="month-note">
        {coverage.isPending
          ? "Looking it up…"
          : coverage.isError
            ? "How much was recorded is not known now."
            : "The bar shows how much of a day was recorded."}
      </p>
    </div>
  );
}

function Day(props: {
  day: Span;
  column: number | undefined;
  isShown: boolean;
  isFuture: boolean;
  found: DayCoverage | undefined;
  onDay: (at: number) => void;
}) {
  const { day, column, isShown, isFuture, found, onDay } = props;
  const share = shareOf(found, day);

  return (
    <button
      type="button"
      className="month-day"
      style={column === undefined ? undefined : { gridColumnStart: column }}
      aria-current={isShown ? "date" : undefined}
      aria-label={`${date(day.from)}, ${
        share > 0 ? `${percent(share)} recorded` : "nothing recorded"
      }`}
      disabled={isFuture}
      onClick={() => onDay(day.from)}
    >
      {new Date(day.from).getDate()}
      <span className="month-bar" aria-hidden="true">
        <i style={{ width: `${share * 100}%` }} />
      </span>
    </button>
  );
}

function shareOf(found: DayCoverage | undefined, day: Span): number {
  return Math.min(
    1,
    ((found?.recordedSeconds ?? 0) * 1000) / (day.to - day.from),
  );
}

/* never a hundred when something is missing, nor none when there is something */
export function percent(share: number): string {
  const n = share * 100;

  return n > 0 && n < 1
    ? "< 1 %"
    : n > 99 && n < 100
      ? `${(Math.floor(n * 10) / 10).toFixed(1)} %`
      : `${Math.floor(n)} %`;
}

function monthOf(at: number): Span {
  const date = new Date(at);
  const first = (more: number) =>
    new Date(date.getFullYear(), date.getMonth() + more, 1).getTime();

  return { from: first(0), to: first(1) };
}

function daysOf(month: Span): Span[] {
  const days: Span[] = [];

  for (let day = dayOf(month.from); day.from < month.to; ) {
    days.push(day);
    day = dayOf(day.from, 1);
  }

  return days;
}

/* Monday is the first */
function columnOf(at: number): number {
  return ((new Date(at).getDay() + 6) % 7) + 1;
}

function isoDay(day: Span): string {
  const date = new Date(day.from);
  const two = (n: number) => String(n).padStart(2, "0");

  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
