/** What was used, in tokens and money. */

import { useLoad } from "../hooks";
import { Empty, Fault, Type } from "../ui";

interface Answer {
  available: boolean;
  rows: unknown[];
}

export function Cost() {
  const { value, error, again } = useLoad<Answer>("/api/cost");
  if (error) return <Fault error={error} again={again} />;
  if (!value) return null;
  return (
    <Empty title="No usage has been counted yet">
      <p>
        Usage is read from the transcripts of sessions while they go on; the first one that is seen stands here.
      </p>
      <p class="muted">
        What is on record meanwhile: <Type>pointsman ledger tail</Type>
      </p>
    </Empty>
  );
}
