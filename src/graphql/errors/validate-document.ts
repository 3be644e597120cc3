import {
  GraphQLError,
  getNamedType,
  isInputObjectType,
  Kind,
  specifiedRules,
  type ValidationRule,
  ValuesOfCorrectTypeRule,
  validate,
} from 'graphql';
import { expectation } from './expectation.ts';
import { maxErrors, requestError } from './request-error.ts';

/**
 * The texts of graphql-js's rules contain names from the schema or from Name nodes of the document, and no values. The one rule
 * that prints literals is replaced. A test lists the rules that were checked for this.
 */
export function validateDocument(...[schema, document, rules = specifiedRules]: Parameters<typeof validate>) {
  // Compared by name, so that the rule of another copy of graphql-js is replaced, too.
  const ours = rules.map((rule) => (rule.name === ValuesOfCorrectTypeRule.name ? LiteralsOfCorrectTypeRule : rule));
  try {
    return validate(schema, document, ours, { maxErrors }).map((error) => requestError(error.message, error));
  } catch (error) {
    // A rule that reads a directive's arguments throws the error of the execution, which quotes the argument.
    if (error instanceof GraphQLError) return [requestError('An argument has an invalid value.', error)];
    throw error;
  }
}

const LiteralsOfCorrectTypeRule: ValidationRule = (context) => {
  const reportError = (error: GraphQLError) => {
    const [node] = error.nodes ?? [];
    const type = context.getInputType();
    // These texts contain names only: of a field that the input object does not define (it has no type), or requires.
    const isMadeOfNames = !type || (node?.kind === Kind.OBJECT && isInputObjectType(getNamedType(type)));
    if (isMadeOfNames) context.reportError(error);
    else if (node?.kind === Kind.NULL) context.reportError(requestError(`Expected type "${type}", found null.`, error));
    else context.reportError(requestError(expectation(type), error));
  };
  return ValuesOfCorrectTypeRule(Object.create(context, { reportError: { value: reportError } }));
};
