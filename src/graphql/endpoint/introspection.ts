import { NoSchemaIntrospectionCustomRule } from 'graphql';
import type { GatewayPlugin } from './server-context.ts';

/** Refuses documents that ask for the schema, where INTROSPECTION is off. */
export function useIntrospectionSwitch(enabled: boolean): GatewayPlugin {
  return {
    onValidate({ addValidationRule }) {
      if (!enabled) addValidationRule(NoSchemaIntrospectionCustomRule);
    },
  };
}
