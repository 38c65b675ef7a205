// The client of `pybuild --lsp`.

import { spawn, type ChildProcess } from "node:child_process";
import * as vscode from "vscode";
import {
  CloseAction,
  LanguageClient,
  type DynamicFeature,
  type ErrorHandler,
  type ExecuteCommandRegistrationOptions,
  type RegistrationData,
  type StaticFeature,
} from "vscode-languageclient/node";
import { absentMessage, serverMessage } from "./program.js";
import { programFor } from "./projects.js";

const MOST_SAID = 4000;
const EXECUTE_COMMAND = "workspace/executeCommand";

const OWN_COMMANDS: ReadonlySet<string> = new Set([
  "pybuild.run",
  "pybuild.dryRun",
  "pybuild.explain",
  "pybuild.graph",
]);

/**
 * A client that leaves to this extension the commands which it registers itself. A server that does not
 * start is told of by `Server`, once, and not started again.
 */
class Client extends LanguageClient {
  override error(message: string, data?: unknown, show?: boolean | "force"): void {
    super.error(message, data, this.isRunning() ? show : false);
  }

  override createDefaultErrorHandler(mostRestarts?: number): ErrorHandler {
    const usual = super.createDefaultErrorHandler(mostRestarts);
    return {
      error: (error, message, count) => usual.error(error, message, count),
      closed: () =>
        this.isRunning() ? usual.closed() : { action: CloseAction.DoNotRestart, handled: true },
    };
  }

  override registerFeature(feature: StaticFeature | DynamicFeature<unknown>): void {
    if ("registrationType" in feature && feature.registrationType.method === EXECUTE_COMMAND) {
      keepOwnCommands(feature as DynamicFeature<ExecuteCommandRegistrationOptions>);
    }
    super.registerFeature(feature);
  }
}

function keepOwnCommands(feature: DynamicFeature<ExecuteCommandRegistrationOptions>): void {
  const register = feature.register.bind(feature);
  feature.register = (data: RegistrationData<ExecuteCommandRegistrationOptions>) => {
    const commands = data.registerOptions.commands.filter((each) => !OWN_COMMANDS.has(each));
    register({ ...data, registerOptions: { ...data.registerOptions, commands } });
  };
}

/** The language server: started, started again, stopped. */
export class Server implements vscode.Disposable {
  private client: Client | undefined;
  private readonly channel = vscode.window.createOutputChannel("pybuild", { log: true });
  private said = "";

  /** Starts it, unless the settings say no. What stands in the way is shown to the user. */
  async start(): Promise<void> {
    const settings = vscode.workspace.getConfiguration("pybuild");
    if (!settings.get("server.enabled", true)) return;
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
    const program = programFor(folder);
    const first = await this.process(program, folder).catch(() => undefined);
    if (!first) {
      complain(absentMessage(program), this.channel);
      return;
    }
    let waiting: ChildProcess | undefined = first;
    const process = async (): Promise<ChildProcess> => {
      const child = waiting ?? (await this.process(program, folder));
      waiting = undefined;
      return child;
    };
    const languages = settings.get("server.makefiles", true) ? ["pipefile", "makefile"] : ["pipefile"];
    const ended = new Promise<void>((resolve) => first.once("close", () => resolve()));
    const client = new Client("pybuild", "pybuild", process, {
      documentSelector: languages.map((language) => ({ scheme: "file", language })),
      outputChannel: this.channel,
      initializationOptions: { ...settings },
      initializationFailedHandler: () => false,
    });
    this.client = client;
    const isUp = await Promise.race([client.start().then(() => true, () => false), ended.then(() => false)]);
    if (!isUp) {
      first.kill();
      await ended; // then all is read that it said
      complain(serverMessage(program, this.said), this.channel);
    }
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client?.isRunning()) await client.stop();
  }

  dispose(): void {
    void this.stop();
    this.channel.dispose();
  }

  /** The process of the server. What it says besides is kept, for it tells why a start has failed. */
  private process(program: string, folder: string | undefined): Promise<ChildProcess> {
    const child = spawn(program, ["--lsp"], { cwd: folder });
    this.said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      this.said = (this.said + chunk.toString()).slice(-MOST_SAID);
      this.channel.append(chunk.toString());
    });
    return new Promise((resolve, reject) => {
      child.once("spawn", () => resolve(child));
      child.once("error", reject);
    });
  }
}

const SETTINGS = "Open Settings";
const LOG = "Show Output";

function complain(message: string, channel: vscode.OutputChannel): void {
  void vscode.window.showErrorMessage(message, SETTINGS, LOG).then((choice) => {
    if (choice === SETTINGS) void vscode.commands.executeCommand("workbench.action.openSettings", "pybuild.path");
    if (choice === LOG) channel.show(true);
  });
}
