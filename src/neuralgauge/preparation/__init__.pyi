from .prepared import Prepared as Prepared, UserData as UserData, ProblemTerms as ProblemTerms, prepared as prepared
from .standardization import Standardization as Standardization
