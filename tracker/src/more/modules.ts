/** Modules that `data-modules` names are files beside this one. */

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/**
 * Load modules.
 *
 * @param script the element of a script beside which they are
 * @param tracker the global function, which modules find at their own elements
 */
export const loadModules = (names: string, script: HTMLScriptElement, tracker: unknown): void => {
  const types = (window as { trustedTypes?: TrustedTypes }).trustedTypes;
  // A name is a word, so that the addresses are constants of this origin.
  const policy = types && types.createPolicy("t", { createScriptURL: (url) => url });
  for (const name of names.match(/[a-z]+/g) || []) {
    const url = new URL(name + ".js", script.src).href;
    document.head.append(
      Object.assign(document.createElement("script"), {
        nonce: script.nonce,
        t: tracker,
        src: policy ? policy.createScriptURL(url) : url,
      }),
    );
  }
};
