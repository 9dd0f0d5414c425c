/** Owns the types of the part of sql.js 1.16 that the store uses; the package ships none. */
declare module 'sql.js' {
  namespace initSqlJs {
    type SqlValue = number | string | Uint8Array | null;

    interface Statement {
      bind(values: readonly SqlValue[]): boolean;
      /** True while there is a row. Throws Error with SQLite's message. */
      step(): boolean;
      get(): SqlValue[];
      getColumnNames(): string[];
      reset(): void;
      free(): boolean;
    }

    interface Database {
      exec(sql: string): readonly { readonly columns: string[]; readonly values: SqlValue[][] }[];
      prepare(sql: string): Statement;
      getRowsModified(): number;
      close(): void;
    }

    interface SqlJs {
      readonly Database: new (bytes?: Uint8Array) => Database;
    }

    interface Config {
      /** Emscripten's hook: given the imports, hands an instance to `receive`. */
      instantiateWasm(
        imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
        receive: (instance: object, module: object) => void,
      ): object;
    }
  }

  function initSqlJs(config: initSqlJs.Config): Promise<initSqlJs.SqlJs>;
  export = initSqlJs;
}
