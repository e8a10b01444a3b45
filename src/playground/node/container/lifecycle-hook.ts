// postStart and preStop of a container.
import type { LifecycleHandler } from "#api/kubernetes/gen/types";
import { type AttemptTarget, attemptProbe, httpAnswers } from "../probes/probe-attempt.ts";

export interface HookTarget extends AttemptTarget {
  /** `name_namespace(uid)`, as kubelets write it. */
  readonly pod: string;
  /** Resolves after so many milliseconds, or as soon as the container is gone. */
  wait(ms: number): Promise<unknown>;
}

export interface HookResult {
  readonly ok: boolean;
  /** Why it failed. */
  readonly message: string;
}

/** Runs a hook to its end. Never throws. */
export async function runHook(hook: LifecycleHandler, target: HookTarget, timeoutMs: number): Promise<HookResult> {
  const failed = (what: string) => ({
    ok: false,
    message: `${what} for Container "${target.container.name}" in Pod "${target.pod}" failed - error: `,
  });
  if (hook.sleep) {
    await target.wait(hook.sleep.seconds * 1000);
    return { ok: true, message: "" };
  }
  if (hook.httpGet) {
    // Whatever the answer says, an answer is success.
    const { ok, output } = await httpAnswers(hook.httpGet, target, timeoutMs);
    const { message } = failed(`HTTP lifecycle hook (${hook.httpGet.path ?? ""})`);
    return { ok, message: ok ? "" : message + output };
  }
  // The API takes a TCP hook for compatibility; no kubelet can run one.
  if (!hook.exec) return { ok: false, message: `Cannot run handler: invalid handler: ${Object.keys(hook).join()}` };
  const { command = [] } = hook.exec;
  const { ok, output, exitCode = 1 } = await attemptProbe({ exec: { command } }, target, timeoutMs);
  if (ok) return { ok, message: "" };
  const { message } = failed(`Exec lifecycle hook ([${command.join(" ")}])`);
  const error = `command '${command.join(" ")}' exited with ${exitCode}: ${output}`;
  return { ok, message: `${message}${error}, message: ${JSON.stringify(output)}` };
}
