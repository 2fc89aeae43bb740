import { Gate } from './gate.js';

/** Holds every operation that arrives while the gate is shut. */
export class Crowd extends Gate {
  private opened: Promise<void> | undefined;
  private let: () => void = () => undefined;
  private held = 0;
  private readonly expecting: { readonly count: number; readonly resolve: () => void }[] = [];

  shut(): void {
    this.held = 0;
    this.opened = new Promise((resolve) => (this.let = resolve));
  }

  /** Lets all operations go on. */
  open(): void {
    this.opened = undefined;
    this.let();
  }

  /** Resolves when this many operations are held. */
  async holds(count: number): Promise<void> {
    if (this.held >= count) return;
    await new Promise<void>((resolve) => this.expecting.push({ count, resolve }));
  }

  override async pass(): Promise<void> {
    if (this.opened === undefined) return;
    this.held += 1;
    for (const { count, resolve } of this.expecting) if (this.held >= count) resolve();
    await this.opened;
  }
}
