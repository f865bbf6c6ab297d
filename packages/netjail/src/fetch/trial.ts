// Whether the fetch that is there asks our dispatchers at all: one in its place may know none.
import type { AgentClass } from '../agent-class.ts';
import { runtimeFetch, unsupported } from './runtime-agent.ts';

/** `undefined` when nothing has to be waited for any more. */
let trial: Promise<void> | undefined | null = null;

/**
 * Makes sure that {@link runtimeFetch} uses the dispatcher that it is given, before the first request is
 * trusted to it. Node's own does so within the call: then there is nothing to wait for. What has taken its
 * place (a mock, a wrapper, the fetch of a simulated browser) may do so later, or never.
 *
 * The promise rejects with `ERR_NETJAIL_UNSUPPORTED_RUNTIME` when it answered, or failed, without, or is of a
 * version that does not fit.
 */
export function tryOutFetch(Agent: AgentClass): Promise<void> | undefined {
  if (trial === null) {
    trial = askOnce(Agent);
    trial?.then(
      () => (trial = undefined),
      () => {},
    );
  }
  return trial;
}

function askOnce(Agent: AgentClass): Promise<void> | undefined {
  let isAsked = false;
  let misfit: unknown;
  const dispatcher = {
    dispatch(options: object, handler: object): never {
      isAsked = true;
      try {
        // Its connection never comes. A fetch of another version has a handler that is refused at once.
        new Agent({ connect: () => undefined } as never).dispatch(options, handler);
      } catch (error) {
        misfit = error;
      }
      throw new Error('a trial is sent nowhere');
    },
  };
  const answer = new Promise((resolve) =>
    resolve(runtimeFetch('http://probe.invalid/', { dispatcher } as unknown as RequestInit)),
  );
  const judge = (failure?: unknown): void => {
    const its = 'what has taken the place of the built-in one';
    if (!isAsked) throw refusal(`${its} does not use the dispatcher that it is given`, failure);
    if (misfit !== undefined)
      throw refusal(`${its} is of a version that does not fit the Agent of this runtime`, misfit);
  };
  const judged = answer.then(() => judge(), judge);
  return isAsked && misfit === undefined ? undefined : judged;
}

function refusal(reason: string, cause: unknown): Error {
  return unsupported(`${reason}; import netjail/fetch before it`, cause);
}
