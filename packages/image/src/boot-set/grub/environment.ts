/**
 * GRUB's variables. `configfile` and submenus run in a context of their own, in which only exported variables are
 * seen; nothing comes back from it.
 */
export class Environment {
  #variables = new Map<string, string>();
  #exported = new Set<string>();

  get(name: string): string | undefined {
    return this.#variables.get(name);
  }

  set(name: string, value: string): void {
    this.#variables.set(name, value);
  }

  unset(name: string): void {
    this.#variables.delete(name);
  }

  export(name: string): void {
    this.#exported.add(name);
  }

  /** How many there are. */
  get size(): number {
    return this.#variables.size;
  }

  /** What a context opened in this one begins with. */
  inner(): Environment {
    const inner = new Environment();
    for (const name of this.#exported) {
      const value = this.#variables.get(name);
      if (value !== undefined) inner.#variables.set(name, value);
    }
    inner.#exported = new Set(this.#exported);
    return inner;
  }

  /** As it is now, untouched by what happens to this one. */
  copy(): Environment {
    const copy = new Environment();
    copy.#variables = new Map(this.#variables);
    copy.#exported = new Set(this.#exported);
    return copy;
  }
}
