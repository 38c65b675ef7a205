// The client of `pybuild --lsp`.

import { spawn, type ChildProcess } from "node:child_process";
import * as vscode from "vscode";
import {
  LanguageClient,
  type DynamicFeature,
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

/** A client that leaves to this extension the commands which it registers itself. */
class Client extends LanguageClient {
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
    const languages = settings.get("server.makefiles", true) ? ["pipefile", "makefile"] : ["pipefile"];
    this.client = new Client("pybuild", "pybuild", () => this.process(program, folder), {
      documentSelector: languages.map((language) => ({ scheme: "file", language })),
      outputChannel: this.channel,
      initializationFailedHandler: () => false,
    });
    try {
      await this.client.start();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      complain(
        text.includes("ENOENT") ? absentMessage(program) : serverMessage(program, this.said || text),
        this.channel,
      );
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
